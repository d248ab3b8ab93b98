// SPDX-License-Identifier: MIT
//
// Notifications for users who identify themselves by a JSON Web Token. A user may have several
// windows open, and each gets everything. A stream lives no longer than the token that opened it.
//
//     POST /tokens?user=NAME&scope=read&seconds=N    a token: stands for a login
//     GET  /notifications                            the stream; the token in Authorization, or in
//                                                    ?access_token= for EventSource
//     POST /users/NAME                               the body is for that user; scope "notify"
#include "http_server.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <jwt.h>

namespace {

using uses::Request;
using uses::Response;

constexpr std::size_t most_windows = 3;

struct bearer {
    std::string user;
    std::string scope;
    std::chrono::seconds left; ///< until the token expires
};

/// Issues tokens and knows its own.
class tokens {
    struct free_token {
        void operator()(jwt_t* token) const { jwt_free(token); }
    };
    using owned_token = std::unique_ptr<jwt_t, free_token>;

  public:
    tokens() {
        std::random_device random;
        for (unsigned char& byte : key_) byte = static_cast<unsigned char>(random());
    }

    [[nodiscard]] std::string issue(const bearer& to) const {
        jwt_t* made = nullptr;
        if (jwt_new(&made) != 0) return {};
        const owned_token token(made);
        jwt_add_grant(made, "sub", to.user.c_str());
        jwt_add_grant(made, "scope", to.scope.c_str());
        jwt_add_grant_int(made, "exp", std::time(nullptr) + to.left.count());
        jwt_set_alg(made, JWT_ALG_HS256, key_.data(), static_cast<int>(key_.size()));
        const std::unique_ptr<char, decltype(&std::free)> text(jwt_encode_str(made), &std::free);
        return text ? text.get() : "";
    }

    [[nodiscard]] std::optional<bearer> read(const std::string& text) const {
        jwt_t* read = nullptr;
        const int size = static_cast<int>(key_.size());
        if (jwt_decode(&read, text.c_str(), key_.data(), size) != 0) return std::nullopt;
        const owned_token token(read);
        if (jwt_get_alg(read) != JWT_ALG_HS256) return std::nullopt; // whatever it says: not "none"
        const char* const user = jwt_get_grant(read, "sub");
        const char* const scope = jwt_get_grant(read, "scope");
        const std::chrono::seconds left(jwt_get_grant_int(read, "exp") - std::time(nullptr));
        if (user == nullptr || *user == '\0' || scope == nullptr || left.count() <= 0)
            return std::nullopt;
        return bearer{user, scope, left};
    }

  private:
    std::array<unsigned char, 32> key_;
};

/// \returns whose request it is; nullopt where it is not allowed, and answered. Spec: RFC 6750, 3.
std::optional<bearer> admit(const tokens& known, std::string_view scope, const Request& request,
                            Response& response) {
    const auto refuse = [&](int status, const char* challenge) {
        response.status = status;
        response.set_header("WWW-Authenticate", challenge);
        return std::nullopt;
    };
    std::string token;
    switch (ssekit::bearer_token(ssekit::httplib_request(request), token,
                                 ssekit::token_source::header_or_query)) {
    case ssekit::token_status::none: return refuse(401, "Bearer");
    case ssekit::token_status::malformed: return refuse(400, "Bearer error=\"invalid_request\"");
    case ssekit::token_status::found: break;
    }
    std::optional<bearer> who = known.read(token);
    if (!who) return refuse(401, "Bearer error=\"invalid_token\"");
    if (who->scope != scope) return refuse(403, "Bearer error=\"insufficient_scope\"");
    return who;
}

void issue(const tokens& issuer, const Request& request, Response& response) {
    const std::string seconds = request.get_param_value("seconds");
    int left = 60;
    std::from_chars(seconds.data(), seconds.data() + seconds.size(), left);
    response.set_content(
        issuer.issue({request.get_param_value("user"), request.get_param_value("scope"),
                      std::chrono::seconds(left)}),
        "text/plain");
}

} // namespace

int main(int argc, char** argv) {
    uses::http_server server(argc, argv, {.max_subscribers_per_tag = most_windows});
    const tokens known;
    // [recipe]
    server.get("/notifications", [&](const Request& request, Response& response) {
        const std::optional<bearer> who = admit(known, "read", request, response);
        if (!who) return;
        ssekit::httplib_stream(
            server.hub(), request, response,
            {.topics = "everybody", .tag = who->user, .max_age = who->left}); // 429: too many
    });
    server.post("/users/([a-z]+)", [&](const Request& request, Response& response,
                                       const std::string& text) {
        if (!admit(known, "notify", request, response)) return;
        uses::answer(response,
                     server.hub().publish_to_tag(request.matches[1].str(), {.data = text}).ec);
    });
    // [recipe]
    server.post("/tokens", [&](const Request& request, Response& response, const std::string&) {
        issue(known, request, response);
    });
    return server.run();
}
