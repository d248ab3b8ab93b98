// SPDX-License-Identifier: MIT
//
// The one type for everything that the toolkit calls back: wakers, hooks, filters. It is a function
// and a context, two pointers wide; it allocates nothing and never throws.
//
// A lambda that fits converts: one that is noexcept, trivially copyable and at most as large as a
// pointer, such as `[this]() noexcept { ... }`. It is kept by value, so a temporary is safe; what
// it refers to has to outlive the callback.
#ifndef SSEKIT_WAKER_HPP
#define SSEKIT_WAKER_HPP

#include <ssekit/version.hpp>

#include <cstring>
#include <type_traits>

namespace ssekit::inline SSEKIT_ABI {

template <class Signature>
class callback;

/// Thread safety: as a pointer; the rest depends on what is called.
template <class Result, class... Arguments>
class callback<Result(Arguments...)> {
    template <class F>
    static constexpr bool
        fits = sizeof(F) <= sizeof(void*) &&
               std::is_trivially_copyable_v<F>&& std::is_nothrow_invocable_r_v<Result, const F&,
                                                                               Arguments...> &&
               !std::is_pointer_v<F>;

  public:
    /// Calls nothing: false.
    constexpr callback() noexcept = default;

    /// A plain function with a context of its own. Lifetime: the context outlives the callback.
    constexpr callback(Result (*call)(void*, Arguments...) noexcept, void* context) noexcept
        : call_(call), context_(context) {}

    /// A lambda that fits, see above. Lifetime: what it refers to outlives the callback.
    template <class F>
    requires(fits<F> && !std::is_same_v<F, callback>) callback(F call)
    noexcept
        : call_([](void* context, Arguments... arguments) noexcept -> Result {
              alignas(F) unsigned char bytes[sizeof(F)];
              std::memcpy(bytes, &context, sizeof bytes);
              return (*reinterpret_cast<const F*>(bytes))(static_cast<Arguments&&>(arguments)...);
          }) {
        std::memcpy(&context_, &call, sizeof call);
    }

    [[nodiscard]] constexpr explicit operator bool() const noexcept { return call_ != nullptr; }

    /// Preconditions: it is not empty.
    Result operator()(Arguments... arguments) const noexcept {
        return call_(context_, static_cast<Arguments&&>(arguments)...);
    }

  private:
    Result (*call_)(void*, Arguments...) noexcept = nullptr;
    void* context_ = nullptr;
};

/// How a subscriber or a loop is woken. What it calls only posts or notifies; it never calls the
/// hub.
using waker = callback<void()>;

} // namespace ssekit::inline SSEKIT_ABI

#endif
