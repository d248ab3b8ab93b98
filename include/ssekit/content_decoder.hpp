// SPDX-License-Identifier: MIT
//
// What takes the content coding off a body, for event sources whose HTTP library does not do it:
// adapters/zlib_decoder.hpp is one.
// Spec: RFC 9110, 8.4 "Content-Encoding" and 12.5.3 "Accept-Encoding".
#ifndef SSEKIT_CONTENT_DECODER_HPP
#define SSEKIT_CONTENT_DECODER_HPP

#include <ssekit/version.hpp>

#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: it outlives the source that it was given to. Thread safety: as an int. Each source has
/// one of its own.
class content_decoder {
  public:
    /// \returns the value of Accept-Encoding. Lifetime: as the decoder.
    [[nodiscard]] virtual std::string_view accepts() const noexcept = 0;

    /// A body begins: what is left of the last one is forgotten.
    /// \param coding the value of its Content-Encoding
    /// \returns false when that is not among those that it accepts, or there is no memory.
    [[nodiscard]] virtual bool begin(std::string_view coding) noexcept = 0;

    /// Takes bytes off the front of `input`.
    /// \returns some of what they stand for, never more than a bound of the decoder's own: call it
    /// until `input` is empty and it returns nothing. While there is input, it takes some, returns
    /// something, or has failed. Lifetime: until the next call.
    [[nodiscard]] virtual std::string_view decode(std::string_view& input) noexcept = 0;

    /// The body is not what its coding says. It stays so until `begin`.
    [[nodiscard]] virtual bool failed() const noexcept = 0;

    /// Whether a body may end here: its coding has come to its end, or there was none of it.
    [[nodiscard]] virtual bool is_complete() const noexcept = 0;

  protected:
    content_decoder() noexcept = default;
    content_decoder(const content_decoder&) noexcept = default;
    content_decoder& operator=(const content_decoder&) noexcept = default;
    ~content_decoder() = default;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
