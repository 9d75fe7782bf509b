/* memlane for C++17 and later: the C interface in memlane.h as types that clean up after themselves. No logic of its own.
 *
 * Names, promises and what happens when a process is killed are those of memlane.h. What can fail throws memlane::Error, a
 * std::system_error with the message that says what to do. With -fno-exceptions, or MEMLANE_NO_EXCEPTIONS defined before
 * this file, it returns a memlane::Result<T> instead, which holds a value or an Error; constructors are then left out, and
 * every type has a static open(). With exceptions, Result<T> is T.
 *
 * Timeouts are any std::chrono duration; one below zero is a deadline that has passed, and does not wait. A wait with one
 * returns an empty optional, or false, when time is up; without one it has no end.
 */
#ifndef MEMLANE_HPP
#define MEMLANE_HPP

#if __cplusplus < 201703L
#error "memlane.hpp is C++17: compile with -std=c++17 or later, or use memlane.h"
#endif

#include "memlane.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__has_include)
#if __has_include(<version>)
#include <version>
#endif
#endif
#if defined(__cpp_lib_span)
#include <span>
#endif

#if !defined(MEMLANE_NO_EXCEPTIONS) && !defined(__cpp_exceptions)
#define MEMLANE_NO_EXCEPTIONS
#endif

namespace memlane {

/* ---- Errors ---- */

using Status = memlane_status;

namespace detail {

class Category final : public std::error_category {
public:
    const char *name() const noexcept override { return "memlane"; }
    std::string message(int status) const override { return memlane_status_name(static_cast<Status>(status)); }
    std::error_condition default_error_condition(int status) const noexcept override {
        switch (static_cast<Status>(status)) {
        case MEMLANE_TIMEOUT: return std::errc::timed_out;
        case MEMLANE_INTERRUPTED: return std::errc::interrupted;
        case MEMLANE_OWNER_DIED: return std::errc::owner_dead;
        case MEMLANE_BROKEN_PIPE: return std::errc::broken_pipe;
        case MEMLANE_NOT_FOUND: return std::errc::no_such_file_or_directory;
        case MEMLANE_ALREADY_EXISTS: return std::errc::file_exists;
        case MEMLANE_PERMISSION_DENIED: return std::errc::permission_denied;
        case MEMLANE_NO_SPACE: return std::errc::no_space_on_device;
        case MEMLANE_WOULD_DEADLOCK: return std::errc::resource_deadlock_would_occur;
        case MEMLANE_NOT_OWNER: return std::errc::operation_not_permitted;
        default: return {status, *this};
        }
    }
};

} // namespace detail

/// The category of memlane's error codes, whose numbers are those of memlane_status.
inline const std::error_category &category() noexcept {
    static const detail::Category category;
    return category;
}

/// A status as an error code; comparable with std::errc where there is a counterpart.
inline std::error_code make_error_code(Status status) noexcept { return {static_cast<int>(status), category()}; }

/// What went wrong, in words that say what to do next.
class Error : public std::system_error {
public:
    /// Of the call of this thread that just failed.
    explicit Error(Status status)
        : Error(status, memlane_last_error()) {}
    Error(Status status, const char *message) : std::system_error(make_error_code(status), message) {}

    Status status() const noexcept { return static_cast<Status>(code().value()); }
};

#if defined(MEMLANE_NO_EXCEPTIONS)

/// A value, or what went wrong.
template <class T> class [[nodiscard]] Result {
public:
    Result(T value) : value_(std::move(value)) {}
    Result(Error error) : error_(std::move(error)) {}
    explicit operator bool() const noexcept { return value_.has_value(); }
    /// Only when it is true.
    T &operator*() & noexcept { return *value_; }
    const T &operator*() const & noexcept { return *value_; }
    T operator*() && noexcept { return std::move(*value_); }
    /// Keep the result and look whether it is true: what is got through a temporary one ends with it.
    T *operator->() & noexcept { return &*value_; }
    const T *operator->() const & noexcept { return &*value_; }
    T *operator->() && = delete;
    /// Only when it is false.
    const Error &error() const noexcept { return *error_; }

private:
    std::optional<T> value_;
    std::optional<Error> error_;
};

template <> class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}
    explicit operator bool() const noexcept { return !error_.has_value(); }
    const Error &error() const noexcept { return *error_; }

private:
    std::optional<Error> error_;
};

#define MEMLANE_CONSTRUCTOR(...)

#else

template <class T> using Result = T;

#define MEMLANE_CONSTRUCTOR(...) __VA_ARGS__

#endif

namespace detail {

#if defined(MEMLANE_NO_EXCEPTIONS)
template <class R> R failure(Error error) { return R(std::move(error)); }
#else
template <class R> [[noreturn]] R failure(Error error) { throw error; }
#endif
template <class R> R failure(Status status) { return failure<R>(Error(status)); }

/// Closes what was opened, if it is not of the schema.
template <class H> Status expect_schema(Status status, H *&handle, const std::string &schema) {
    if (status == MEMLANE_OK && (status = memlane_expect_schema(handle, schema.c_str())) != MEMLANE_OK) {
        (void)memlane_close(std::exchange(handle, nullptr));
    }
    return status;
}

/// `value`, if the call went well.
template <class T> Result<T> result(Status status, T &&value) {
    return status == MEMLANE_OK ? Result<T>(std::forward<T>(value)) : failure<Result<T>>(status);
}

inline Result<void> result(Status status) { return status == MEMLANE_OK ? Result<void>() : failure<Result<void>>(status); }

/// Whether it came in time.
inline Result<bool> in_time(Status status) {
    return status == MEMLANE_TIMEOUT ? Result<bool>(false) : result(status, true);
}

/// `value`, unless nothing came: in time, or ever.
template <class T> Result<std::optional<T>> unless(Status nothing, Status status, T &&value) {
    using Maybe = std::optional<T>;
    if (status == nothing) {
        return Result<Maybe>(Maybe());
    }
    return status == MEMLANE_OK ? Result<Maybe>(Maybe(std::forward<T>(value))) : failure<Result<Maybe>>(status);
}

/// What `make` writes, written where the caller keeps it: a copy of words that were just stored one by one has to wait for
/// them.
template <class T, class Make> Result<T> made(Make make) {
#if defined(MEMLANE_NO_EXCEPTIONS)
    T value;
    const Status status = make(value);
    return result(status, std::move(value));
#else
    T value; // One return of it, or compilers copy.
    const Status status = make(value);
    if (status != MEMLANE_OK) {
        throw Error(status);
    }
    return value;
#endif
}

struct Close {
    void operator()(void *handle) const noexcept { (void)memlane_close(handle); }
};
template <class H> using Handle = std::unique_ptr<H, Close>;

/// Calls `read(buffer, capacity, &size)` with a buffer that is long enough.
template <class Buffer, class Read> Status fill(Buffer &buffer, std::size_t extra, Read read) {
    std::size_t size = 0;
    buffer.resize(256);
    Status status = read(buffer.data(), buffer.size(), &size);
    while (status == MEMLANE_SHORT_BUFFER) {
        buffer.resize(size + extra);
        status = read(buffer.data(), buffer.size(), &size);
    }
    buffer.resize(status == MEMLANE_OK ? size : 0);
    return status;
}

} // namespace detail

/// Lets this thread's waits end with MEMLANE_INTERRUPTED; see memlane_interrupt_when().
inline void interrupt_when(bool (*should_end)()) { memlane_interrupt_when(should_end); }

/// Whether the library that is running is of the interface that this program was compiled with.
inline bool is_compatible() noexcept { return memlane_abi_version() == MEMLANE_ABI_VERSION; }

using Duration = std::chrono::nanoseconds;

/// How long to wait: any std::chrono duration, of integers or not. What is longer than nanoseconds can count is cut to
/// that, 292 years; below zero it does not wait; nanoseconds(MEMLANE_FOREVER) has no end.
class Timeout {
public:
    template <class Rep, class Period>
    constexpr Timeout(std::chrono::duration<Rep, Period> timeout) noexcept : count_(count(timeout)) {}
    /// As C has it.
    constexpr std::int64_t nanoseconds() const noexcept { return count_; }

private:
    template <class Rep, class Period>
    static constexpr std::int64_t count(std::chrono::duration<Rep, Period> timeout) noexcept {
        if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>, Duration>) {
            return timeout.count();
        } else {
            // Floating-point numbers do not overflow, and are exact to a nanosecond up to a hundred days.
            const double wide = std::chrono::duration<double, std::nano>(timeout).count();
            return !(wide > 0) ? 0 : wide >= 9.2e18 ? INT64_MAX : static_cast<std::int64_t>(wide);
        }
    }
    std::int64_t count_;
};

enum class Opening : std::uint32_t {
    open_or_create = MEMLANE_OPEN_OR_CREATE,
    create = MEMLANE_CREATE,
    open = MEMLANE_OPEN
};

namespace detail {
inline memlane_opening c(Opening opening) { return static_cast<memlane_opening>(opening); }
inline std::int64_t c(Timeout timeout) { return timeout.nanoseconds(); }
} // namespace detail

/* ---- Spaces ---- */

/// What a region is called, in any form of text.
class Id {
public:
    Id(const char *id) : text_(id ? id : "") {}
    Id(std::string_view id) : text_(id) {}
    Id(std::string id) noexcept : text_(std::move(id)) {}
    const char *text() const noexcept { return text_.c_str(); }

private:
    std::string text_;
};

/// A directory of regions.
class Space {
public:
    MEMLANE_CONSTRUCTOR(explicit Space(const char *directory = nullptr,
                                       const memlane_space_options &options = defaults())
                        : Space(open(directory, options)) {})

    static memlane_space_options defaults() noexcept { return MEMLANE_SPACE_DEFAULTS; }

    static Result<Space> open(const char *directory = nullptr, const memlane_space_options &options = defaults()) {
        memlane_space *handle = nullptr;
        const Status status = memlane_space_open(directory, &options, &handle);
        return detail::result(status, Space(handle));
    }

    Result<std::vector<std::string>> list() const {
        std::vector<std::string> ids;
        const auto add = [](const char *id, void *context) {
            static_cast<std::vector<std::string> *>(context)->emplace_back(id);
        };
        const Status status = memlane_space_list(handle_.get(), add, &ids);
        return detail::result(status, std::move(ids));
    }

    Result<bool> contains(const Id &id) const {
        bool contains = false;
        const Status status = memlane_space_contains(handle_.get(), id.text(), &contains);
        return detail::result(status, std::move(contains));
    }

    Result<void> wait_for(const Id &id) const {
        return detail::result(memlane_space_wait_for(handle_.get(), id.text(), MEMLANE_FOREVER));
    }
    Result<bool> wait_for(const Id &id, Timeout timeout) const {
        return detail::in_time(memlane_space_wait_for(handle_.get(), id.text(), detail::c(timeout)));
    }

    Result<void> remove(const Id &id) const { return detail::result(memlane_space_remove(handle_.get(), id.text())); }

    const memlane_space *get() const noexcept { return handle_.get(); }

private:
    explicit Space(memlane_space *handle) : handle_(handle) {}
    detail::Handle<memlane_space> handle_;
};

/// Where a region is: in a space, by reference or pointer, or in the user's own.
class In {
public:
    In(const Space &space) noexcept : space_(space.get()) {}
    In(const Space *space = nullptr) noexcept : space_(space ? space->get() : nullptr) {}
    const memlane_space *get() const noexcept { return space_; }

private:
    const memlane_space *space_;
};

namespace detail {
inline const memlane_space *c(In space) { return space.get(); }
} // namespace detail

/* ---- What a type's bytes are ---- */

namespace detail {

template <class T> struct ScalarOf {};
#define MEMLANE_SCALAR_OF(type, number, text) \
    template <> struct ScalarOf<type> { \
        static constexpr memlane_scalar scalar = number; \
        static std::string schema() { return text; } \
    }
MEMLANE_SCALAR_OF(bool, MEMLANE_BOOL, "|b1");
MEMLANE_SCALAR_OF(std::int8_t, MEMLANE_I8, "|i1");
MEMLANE_SCALAR_OF(std::uint8_t, MEMLANE_U8, "|u1");
MEMLANE_SCALAR_OF(std::int16_t, MEMLANE_I16, "<i2");
MEMLANE_SCALAR_OF(std::uint16_t, MEMLANE_U16, "<u2");
MEMLANE_SCALAR_OF(std::int32_t, MEMLANE_I32, "<i4");
MEMLANE_SCALAR_OF(std::uint32_t, MEMLANE_U32, "<u4");
MEMLANE_SCALAR_OF(std::int64_t, MEMLANE_I64, "<i8");
MEMLANE_SCALAR_OF(std::uint64_t, MEMLANE_U64, "<u8");
// `long long` beside an int64_t that is `long`, or the other way round.
using OtherLong = std::conditional_t<std::is_same_v<std::int64_t, long>, long long, long>;
using OtherUnsignedLong = std::make_unsigned_t<OtherLong>;
MEMLANE_SCALAR_OF(OtherLong, sizeof(OtherLong) == 8 ? MEMLANE_I64 : MEMLANE_I32, sizeof(OtherLong) == 8 ? "<i8" : "<i4");
MEMLANE_SCALAR_OF(OtherUnsignedLong, sizeof(OtherLong) == 8 ? MEMLANE_U64 : MEMLANE_U32,
                  sizeof(OtherLong) == 8 ? "<u8" : "<u4");
MEMLANE_SCALAR_OF(float, MEMLANE_F32, "<f4");
MEMLANE_SCALAR_OF(double, MEMLANE_F64, "<f8");
#undef MEMLANE_SCALAR_OF

template <class T, class = void> struct IsScalar : std::false_type {};
template <class T> struct IsScalar<T, std::void_t<decltype(ScalarOf<T>::scalar)>> : std::true_type {};

/// The shape and the item of a field.
template <class T> struct Item {
    using type = T;
    static std::string shape() { return {}; }
};
template <class T, std::size_t N> struct Item<T[N]> {
    using type = typename Item<T>::type;
    static std::string shape() { return std::to_string(N) + "," + Item<T>::shape(); }
};
template <class T, std::size_t N> struct Item<std::array<T, N>> : Item<T[N]> {};

template <class T, class = void> struct IsDescribed : std::false_type {};
template <class T>
struct IsDescribed<T, std::void_t<decltype(memlane_describe(static_cast<const T *>(nullptr)))>> : std::true_type {};

template <class T> std::string item_schema() {
    static_assert(IsScalar<T>::value || IsDescribed<T>::value,
                  "memlane does not know what this type's bytes are: write MEMLANE_DESCRIBE(Type, field, ...) beside it; a "
                  "field is bool, an integer of a fixed size, float, double, BigEndian of these, a described structure, or "
                  "an array of them");
    if constexpr (IsScalar<T>::value) {
        return ScalarOf<T>::schema();
    } else if constexpr (IsDescribed<T>::value) {
        return memlane_describe(static_cast<const T *>(nullptr));
    } else {
        return {};
    }
}

template <class T> std::string schema_of() {
    std::string shape = Item<T>::shape();
    if (!shape.empty()) {
        shape.back() = ']';
        shape.insert(0, "[");
    }
    return shape + item_schema<typename Item<T>::type>();
}

template <class T> void field(std::string &schema, const char *name, std::size_t offset) {
    schema += schema.size() > 1 ? "," : "";
    schema += name;
    schema += "@" + std::to_string(offset) + ":" + schema_of<T>();
}

} // namespace detail

#if defined(__cpp_concepts)
/// What a Value holds: bool, integers and floating-point numbers of up to 8 bytes.
template <class T>
concept Scalar = detail::IsScalar<T>::value;
#define MEMLANE_SCALAR ::memlane::Scalar
#else
#define MEMLANE_SCALAR class
#endif

/// The schema of a scalar, of an array of them, or of a structure with MEMLANE_DESCRIBE.
template <class T> std::string schema() { return detail::schema_of<T>(); }

/// A number whose bytes lie in network order, as some devices and files have them: for fields of a structure. It converts
/// from and to T.
template <class T> class BigEndian {
    static_assert(std::is_arithmetic_v<T> && sizeof(T) > 1, "what has bytes to be in order");

public:
    BigEndian() = default;
    BigEndian(T value) noexcept : reversed_(reverse(bytes_of(value))) {}
    operator T() const noexcept {
        const Bytes bytes = reverse(reversed_);
        T value;
        std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }

private:
    using Bytes = std::array<unsigned char, sizeof(T)>;
    static Bytes bytes_of(T value) noexcept {
        Bytes bytes{};
        std::memcpy(bytes.data(), &value, sizeof value);
        return bytes;
    }
    static Bytes reverse(const Bytes &bytes) noexcept {
        Bytes reversed{};
        for (std::size_t index = 0; index < sizeof(T); ++index) {
            reversed[index] = bytes[sizeof(T) - 1 - index];
        }
        return reversed;
    }
    alignas(T) Bytes reversed_;
};

/// As MEMLANE_DESCRIBE does for structures.
template <class T> std::string memlane_describe(const BigEndian<T> *) {
    std::string text = schema<T>();
    text.front() = '>';
    return text;
}

#define MEMLANE_EACH_1(m, a) m(a)
#define MEMLANE_EACH_2(m, a, ...) m(a) MEMLANE_EACH_1(m, __VA_ARGS__)
#define MEMLANE_EACH_3(m, a, ...) m(a) MEMLANE_EACH_2(m, __VA_ARGS__)
#define MEMLANE_EACH_4(m, a, ...) m(a) MEMLANE_EACH_3(m, __VA_ARGS__)
#define MEMLANE_EACH_5(m, a, ...) m(a) MEMLANE_EACH_4(m, __VA_ARGS__)
#define MEMLANE_EACH_6(m, a, ...) m(a) MEMLANE_EACH_5(m, __VA_ARGS__)
#define MEMLANE_EACH_7(m, a, ...) m(a) MEMLANE_EACH_6(m, __VA_ARGS__)
#define MEMLANE_EACH_8(m, a, ...) m(a) MEMLANE_EACH_7(m, __VA_ARGS__)
#define MEMLANE_EACH_9(m, a, ...) m(a) MEMLANE_EACH_8(m, __VA_ARGS__)
#define MEMLANE_EACH_10(m, a, ...) m(a) MEMLANE_EACH_9(m, __VA_ARGS__)
#define MEMLANE_EACH_11(m, a, ...) m(a) MEMLANE_EACH_10(m, __VA_ARGS__)
#define MEMLANE_EACH_12(m, a, ...) m(a) MEMLANE_EACH_11(m, __VA_ARGS__)
#define MEMLANE_EACH_13(m, a, ...) m(a) MEMLANE_EACH_12(m, __VA_ARGS__)
#define MEMLANE_EACH_14(m, a, ...) m(a) MEMLANE_EACH_13(m, __VA_ARGS__)
#define MEMLANE_EACH_15(m, a, ...) m(a) MEMLANE_EACH_14(m, __VA_ARGS__)
#define MEMLANE_EACH_16(m, a, ...) m(a) MEMLANE_EACH_15(m, __VA_ARGS__)
#define MEMLANE_EACH_17(m, a, ...) m(a) MEMLANE_EACH_16(m, __VA_ARGS__)
#define MEMLANE_EACH_18(m, a, ...) m(a) MEMLANE_EACH_17(m, __VA_ARGS__)
#define MEMLANE_EACH_19(m, a, ...) m(a) MEMLANE_EACH_18(m, __VA_ARGS__)
#define MEMLANE_EACH_20(m, a, ...) m(a) MEMLANE_EACH_19(m, __VA_ARGS__)
#define MEMLANE_EACH_21(m, a, ...) m(a) MEMLANE_EACH_20(m, __VA_ARGS__)
#define MEMLANE_EACH_22(m, a, ...) m(a) MEMLANE_EACH_21(m, __VA_ARGS__)
#define MEMLANE_EACH_23(m, a, ...) m(a) MEMLANE_EACH_22(m, __VA_ARGS__)
#define MEMLANE_EACH_24(m, a, ...) m(a) MEMLANE_EACH_23(m, __VA_ARGS__)
#define MEMLANE_EACH_25(m, a, ...) m(a) MEMLANE_EACH_24(m, __VA_ARGS__)
#define MEMLANE_EACH_26(m, a, ...) m(a) MEMLANE_EACH_25(m, __VA_ARGS__)
#define MEMLANE_EACH_27(m, a, ...) m(a) MEMLANE_EACH_26(m, __VA_ARGS__)
#define MEMLANE_EACH_28(m, a, ...) m(a) MEMLANE_EACH_27(m, __VA_ARGS__)
#define MEMLANE_EACH_29(m, a, ...) m(a) MEMLANE_EACH_28(m, __VA_ARGS__)
#define MEMLANE_EACH_30(m, a, ...) m(a) MEMLANE_EACH_29(m, __VA_ARGS__)
#define MEMLANE_EACH_31(m, a, ...) m(a) MEMLANE_EACH_30(m, __VA_ARGS__)
#define MEMLANE_EACH_32(m, a, ...) m(a) MEMLANE_EACH_31(m, __VA_ARGS__)
#define MEMLANE_PICK(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, \
    a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, picked, ...) picked
#define MEMLANE_EACH(m, ...) MEMLANE_PICK(__VA_ARGS__, MEMLANE_EACH_32, MEMLANE_EACH_31, MEMLANE_EACH_30, \
    MEMLANE_EACH_29, MEMLANE_EACH_28, MEMLANE_EACH_27, MEMLANE_EACH_26, MEMLANE_EACH_25, MEMLANE_EACH_24, \
    MEMLANE_EACH_23, MEMLANE_EACH_22, MEMLANE_EACH_21, MEMLANE_EACH_20, MEMLANE_EACH_19, MEMLANE_EACH_18, \
    MEMLANE_EACH_17, MEMLANE_EACH_16, MEMLANE_EACH_15, MEMLANE_EACH_14, MEMLANE_EACH_13, MEMLANE_EACH_12, \
    MEMLANE_EACH_11, MEMLANE_EACH_10, MEMLANE_EACH_9, MEMLANE_EACH_8, MEMLANE_EACH_7, MEMLANE_EACH_6, \
    MEMLANE_EACH_5, MEMLANE_EACH_4, MEMLANE_EACH_3, MEMLANE_EACH_2, MEMLANE_EACH_1, 0)(m, __VA_ARGS__)
#define MEMLANE_FIELD(name) ::memlane::detail::field<decltype(Described::name)>(schema, #name, \
    offsetof(Described, name));

/// Says what a structure's fields are, all of them or those that others are to see, 1 to 32: written beside it, in its
/// namespace. `MEMLANE_DESCRIBE(Pose, x, y, heading)`. A field is bool, an integer of up to 8 bytes (but not char, which is
/// neither text nor a number), float, double, BigEndian of these, another described structure, or an array (`T[N]`,
/// std::array) of any of them.
#define MEMLANE_DESCRIBE(Type, ...) \
    inline ::std::string memlane_describe(const Type *) { \
        using Described = Type; \
        static_assert(::std::is_trivially_copyable_v<Type> && ::std::is_standard_layout_v<Type>, \
                      "what is shared is copied as bytes"); \
        ::std::string schema = "{"; \
        MEMLANE_EACH(MEMLANE_FIELD, __VA_ARGS__) \
        return schema + ";" + ::std::to_string(sizeof(Type)) + "}"; \
    } \
    static_assert(true, "wants a semicolon")

/* ---- What every handle of a region has ---- */

/// The change counter, the schema and the state of the region behind a handle.
template <class H> class Region {
public:
    Result<std::uint64_t> version() const {
        std::uint64_t version = 0;
        const Status status = memlane_version(handle_.get(), &version);
        return detail::result(status, std::move(version));
    }

    Result<std::string> schema() const {
        std::string text;
        const Status status = detail::fill(text, 1, [this](char *buffer, std::size_t capacity, std::size_t *size) {
            return memlane_schema(handle_.get(), buffer, capacity, size);
        });
        return detail::result(status, std::move(text));
    }

    /// The lengths of what its bytes are: height, width and channels of pictures.
    Result<std::vector<std::size_t>> shape() const {
        std::vector<std::size_t> lengths;
        const Status status =
            detail::fill(lengths, 0, [this](std::size_t *buffer, std::size_t capacity, std::size_t *size) {
                return memlane_shape(handle_.get(), buffer, capacity, size);
            });
        return detail::result(status, std::move(lengths));
    }

    Result<std::string> id() const {
        std::string text;
        const Status status = detail::fill(text, 1, [this](char *buffer, std::size_t capacity, std::size_t *size) {
            return memlane_id(handle_.get(), buffer, capacity, size);
        });
        return detail::result(status, std::move(text));
    }

    Result<bool> unlinked() const {
        bool unlinked = false;
        const Status status = memlane_unlinked(handle_.get(), &unlinked);
        return detail::result(status, std::move(unlinked));
    }

    Result<std::vector<memlane_participant>> participants() const {
        std::vector<memlane_participant> found;
        const auto add = [](const memlane_participant *participant, void *context) {
            static_cast<std::vector<memlane_participant> *>(context)->push_back(*participant);
        };
        const Status status = memlane_participants(handle_.get(), add, &found);
        return detail::result(status, std::move(found));
    }

    /// The handle of C, which stays this object's.
    H *get() const noexcept { return handle_.get(); }

protected:
    explicit Region(H *handle) : handle_(handle) {}

private:
    detail::Handle<H> handle_;
};

/* ---- Values, records, texts, arrays, raw bytes ---- */

/// A scalar between processes.
template <MEMLANE_SCALAR T> class Value : public Region<memlane_value> {
public:
    /// A value and a version to wait from.
    struct Reading {
        T value;
        std::uint64_t version;
    };

    MEMLANE_CONSTRUCTOR(explicit Value(const Id &id, T initial = T(), Opening opening = Opening::open_or_create,
                                       In space = {})
                        : Value(open(id, initial, opening, space)) {})

    static Result<Value> open(const Id &id, T initial = T(), Opening opening = Opening::open_or_create,
                              In space = {}) {
        memlane_value *handle = nullptr;
        const Status status = memlane_value_open(detail::c(space), id.text(), detail::c(opening),
                                                 detail::ScalarOf<T>::scalar, &initial, &handle);
        return detail::result(status, Value(handle));
    }

    Result<T> load() const {
        T value{};
        const Status status = memlane_value_load(get(), &value, sizeof value);
        return detail::result(status, std::move(value));
    }

    Result<void> store(T value) const { return detail::result(memlane_value_store(get(), &value, sizeof value)); }

    /// Adds, as one step; gives back the sum.
    Result<T> add(T summand) const {
        T sum{};
        const Status status = memlane_value_add(get(), &summand, &sum, sizeof sum);
        return detail::result(status, std::move(sum));
    }

    /// As of std::atomic: `expected` becomes what it is.
    Result<bool> compare_exchange(T &expected, T desired) const {
        const Status status = memlane_value_compare_exchange(get(), &expected, &desired, sizeof desired);
        return status == MEMLANE_CONFLICT ? Result<bool>(false) : detail::result(status, true);
    }

    Result<Reading> read() const {
        Reading reading{};
        const Status status = memlane_value_read(get(), &reading.value, sizeof reading.value, &reading.version);
        return detail::result(status, std::move(reading));
    }

    Result<Reading> wait_newer(Reading seen) const {
        const Status status = wait(seen, MEMLANE_FOREVER);
        return detail::result(status, std::move(seen));
    }
    Result<std::optional<Reading>> wait_newer(Reading seen, Timeout timeout) const {
        const Status status = wait(seen, detail::c(timeout));
        return detail::unless(MEMLANE_TIMEOUT, status, std::move(seen));
    }

private:
    explicit Value(memlane_value *handle) : Region(handle) {}
    Status wait(Reading &seen, std::int64_t timeout) const {
        return memlane_value_wait_newer(get(), &seen.value, sizeof seen.value, &seen.version, timeout);
    }
};

/// A structure that changes as a whole; `T` has MEMLANE_DESCRIBE.
template <class T> class Record : public Region<memlane_record> {
public:
    /// The structure and the version that write_if() compares.
    struct Reading {
        T value;
        std::uint64_t version;
    };

    MEMLANE_CONSTRUCTOR(explicit Record(const Id &id, Opening opening = Opening::open_or_create,
                                        In space = {})
                        : Record(open(id, opening, space)) {})

    /// It must be of T's schema, however it is opened.
    static Result<Record> open(const Id &id, Opening opening = Opening::open_or_create, In space = {}) {
        const std::string schema = memlane::schema<T>();
        memlane_record *handle = nullptr;
        const Status opened =
            memlane_record_open(detail::c(space), id.text(), detail::c(opening), schema.c_str(), &handle);
        const Status status = detail::expect_schema(opened, handle, schema);
        return detail::result(status, Record(handle));
    }

    Result<Reading> read() const {
        Reading reading{};
        const Status status = memlane_record_read(get(), &reading.value, sizeof reading.value, &reading.version);
        return detail::result(status, std::move(reading));
    }

    /// Gives back the new version.
    Result<std::uint64_t> write(const T &value) const {
        std::uint64_t version = 0;
        const Status status = memlane_record_write(get(), &value, sizeof value, &version);
        return detail::result(status, std::move(version));
    }

    /// Writes if the version still is `version`, which becomes the one that stands.
    Result<bool> write_if(std::uint64_t &version, const T &value) const {
        const Status status = memlane_record_write_if(get(), &value, sizeof value, &version);
        return status == MEMLANE_CONFLICT ? Result<bool>(false) : detail::result(status, true);
    }

    Result<std::uint64_t> wait_newer(std::uint64_t seen) const {
        const Status status = memlane_record_wait_newer(get(), &seen, MEMLANE_FOREVER);
        return detail::result(status, std::move(seen));
    }
    Result<std::optional<std::uint64_t>> wait_newer(std::uint64_t seen, Timeout timeout) const {
        const Status status = memlane_record_wait_newer(get(), &seen, detail::c(timeout));
        return detail::unless(MEMLANE_TIMEOUT, status, std::move(seen));
    }

private:
    explicit Record(memlane_record *handle) : Region(handle) {}
};

/// UTF-8 that changes as a whole.
class Text : public Region<memlane_text> {
public:
    /// The text and the version that write_if() compares.
    struct Reading {
        std::string text;
        std::uint64_t version;
    };

    MEMLANE_CONSTRUCTOR(explicit Text(const Id &id, std::size_t capacity = 4096,
                                      Opening opening = Opening::open_or_create, In space = {})
                        : Text(open(id, capacity, opening, space)) {})

    static Result<Text> open(const Id &id, std::size_t capacity = 4096, Opening opening = Opening::open_or_create,
                             In space = {}) {
        memlane_text *handle = nullptr;
        const Status status = memlane_text_open(detail::c(space), id.text(), detail::c(opening), capacity, &handle);
        return detail::result(status, Text(handle));
    }

    Result<Reading> read() const {
        Reading reading{};
        const Status status =
            detail::fill(reading.text, 1, [&](char *buffer, std::size_t capacity, std::size_t *size) {
                return memlane_text_read(get(), buffer, capacity, size, &reading.version);
            });
        return detail::result(status, std::move(reading));
    }

    /// Gives back the new version.
    Result<std::uint64_t> write(std::string_view text) const {
        std::uint64_t version = 0;
        const Status status = memlane_text_write(get(), text.data(), text.size(), &version);
        return detail::result(status, std::move(version));
    }

    /// Writes if the version still is `version`, which becomes the one that stands.
    Result<bool> write_if(std::uint64_t &version, std::string_view text) const {
        const Status status = memlane_text_write_if(get(), text.data(), text.size(), &version);
        return status == MEMLANE_CONFLICT ? Result<bool>(false) : detail::result(status, true);
    }

    Result<std::uint64_t> wait_newer(std::uint64_t seen) const {
        const Status status = memlane_text_wait_newer(get(), &seen, MEMLANE_FOREVER);
        return detail::result(status, std::move(seen));
    }
    Result<std::optional<std::uint64_t>> wait_newer(std::uint64_t seen, Timeout timeout) const {
        const Status status = memlane_text_wait_newer(get(), &seen, detail::c(timeout));
        return detail::unless(MEMLANE_TIMEOUT, status, std::move(seen));
    }

private:
    explicit Text(memlane_text *handle) : Region(handle) {}
};

/// Elements in place: `T` is a scalar or has MEMLANE_DESCRIBE.
template <class T> class Array : public Region<memlane_array> {
public:
    MEMLANE_CONSTRUCTOR(explicit Array(const Id &id, std::size_t count, Opening opening = Opening::open_or_create,
                                       In space = {})
                        : Array(open(id, count, opening, space)) {})

    /// It must be of so many T, however it is opened; with Opening::open, a count of 0 is for however many there are.
    static Result<Array> open(const Id &id, std::size_t count, Opening opening = Opening::open_or_create,
                              In space = {}) {
        const std::string shape = count == 0 ? "" : "[" + std::to_string(count) + "]";
        const std::string schema = shape + memlane::schema<T>();
        memlane_array *handle = nullptr;
        const Status opened =
            memlane_array_open(detail::c(space), id.text(), detail::c(opening), schema.c_str(), &handle);
        const Status status = detail::expect_schema(opened, handle, schema);
        return detail::result(status, Array(handle));
    }

    Result<std::size_t> size() const {
        std::size_t count = 0;
        std::size_t item = 0;
        const Status status = memlane_array_shape(get(), &count, &item);
        return detail::result(status, std::move(count));
    }

    Result<T> load(std::size_t index) const {
        T value{};
        const Status status = memlane_array_read(get(), index, &value, sizeof value);
        return detail::result(status, std::move(value));
    }

    Result<void> store(std::size_t index, const T &value) const {
        return detail::result(memlane_array_write(get(), index, &value, sizeof value));
    }

    Result<void> read(std::size_t start, T *values, std::size_t count) const {
        return detail::result(memlane_array_read(get(), start, values, count * sizeof(T)));
    }

    Result<void> write(std::size_t start, const T *values, std::size_t count) const {
        return detail::result(memlane_array_write(get(), start, values, count * sizeof(T)));
    }

    /// Where the elements lie; others may write at any instant. Good as long as this lives.
    Result<T *> data() const & {
        void *data = nullptr;
        const Status status = memlane_array_data(get(), &data);
        return detail::result(status, static_cast<T *>(data));
    }
    Result<T *> data() const && = delete;

#if !defined(MEMLANE_NO_EXCEPTIONS)
    /// `for (float &joint : joints)`, in place as data().
    T *begin() const & { return data(); }
    T *end() const & { return data() + size(); }
    T *begin() const && = delete;
    T *end() const && = delete;
#endif

    /// Wakes who waits: for who wrote through data().
    Result<void> changed() const { return detail::result(memlane_array_changed(get())); }

    Result<std::uint64_t> wait_newer(std::uint64_t seen) const {
        const Status status = memlane_array_wait_newer(get(), &seen, MEMLANE_FOREVER);
        return detail::result(status, std::move(seen));
    }
    Result<std::optional<std::uint64_t>> wait_newer(std::uint64_t seen, Timeout timeout) const {
        const Status status = memlane_array_wait_newer(get(), &seen, detail::c(timeout));
        return detail::unless(MEMLANE_TIMEOUT, status, std::move(seen));
    }

private:
    explicit Array(memlane_array *handle) : Region(handle) {}
};

/// Bytes in place, for types of one's own.
class Raw : public Region<memlane_raw> {
public:
    /// Where bytes lie, and how many.
    struct Bytes {
        void *data;
        std::size_t size;
    };

    MEMLANE_CONSTRUCTOR(explicit Raw(const Id &id, std::size_t size, Opening opening = Opening::open_or_create,
                                     In space = {})
                        : Raw(open(id, size, opening, space)) {})

    static Result<Raw> open(const Id &id, std::size_t size, Opening opening = Opening::open_or_create,
                            In space = {}) {
        memlane_raw *handle = nullptr;
        const Status status = memlane_raw_open(detail::c(space), id.text(), detail::c(opening), size, &handle);
        return detail::result(status, Raw(handle));
    }

    /// At the beginning of a page; others may write at any instant. Good as long as this lives.
    Result<Bytes> bytes() const & {
        Bytes bytes{};
        const Status status = memlane_raw_data(get(), &bytes.data, &bytes.size);
        return detail::result(status, std::move(bytes));
    }
    Result<Bytes> bytes() const && = delete;

    Result<void> read(std::size_t offset, void *to, std::size_t size) const {
        return detail::result(memlane_raw_read(get(), offset, to, size));
    }
    Result<void> write(std::size_t offset, const void *from, std::size_t size) const {
        return detail::result(memlane_raw_write(get(), offset, from, size));
    }

    /// Wakes who waits: for who wrote through bytes().
    Result<void> changed() const { return detail::result(memlane_raw_changed(get())); }

    Result<std::uint64_t> wait_newer(std::uint64_t seen) const {
        const Status status = memlane_raw_wait_newer(get(), &seen, MEMLANE_FOREVER);
        return detail::result(status, std::move(seen));
    }
    Result<std::optional<std::uint64_t>> wait_newer(std::uint64_t seen, Timeout timeout) const {
        const Status status = memlane_raw_wait_newer(get(), &seen, detail::c(timeout));
        return detail::unless(MEMLANE_TIMEOUT, status, std::move(seen));
    }

private:
    explicit Raw(memlane_raw *handle) : Region(handle) {}
};

/* ---- Locks ---- */

namespace detail {

/// The functions of C for one of the kinds of locks.
struct PlainLock {
    using Handle = memlane_lock;
    static constexpr auto open = memlane_lock_open;
    static constexpr auto acquire = memlane_lock_acquire;
    static constexpr auto release = memlane_lock_release;
    static constexpr auto make_consistent = memlane_lock_make_consistent;
    static constexpr auto abandon = memlane_lock_abandon;
    static constexpr auto holder = memlane_lock_holder;
};

struct ReentrantLock {
    using Handle = memlane_rlock;
    static constexpr auto open = memlane_rlock_open;
    static constexpr auto acquire = memlane_rlock_acquire;
    static constexpr auto release = memlane_rlock_release;
    static constexpr auto make_consistent = memlane_rlock_make_consistent;
    static constexpr auto abandon = memlane_rlock_abandon;
    static constexpr auto holder = memlane_rlock_holder;
};

} // namespace detail

/// A lock, held by the thread that took it; given back at the end. The lock must live longer.
template <class C> class [[nodiscard]] BasicGuard {
public:
    BasicGuard(BasicGuard &&other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)), owner_died_(other.owner_died_) {}
    BasicGuard &operator=(BasicGuard &&other) noexcept {
        BasicGuard taken(std::move(other));
        std::swap(handle_, taken.handle_);
        std::swap(owner_died_, taken.owner_died_);
        return *this;
    }
    ~BasicGuard() {
        if (handle_) {
            (void)C::release(handle_);
        }
    }

    /// Whether the last owner died or abandoned it: what it protects may be half-changed.
    bool owner_died() const noexcept { return owner_died_; }

    /// Says that what the lock protects is whole again.
    Result<void> make_consistent() const { return detail::result(C::make_consistent(handle_)); }

    /// Gives it back now, and tells the next owner that the data is half-changed.
    Result<void> abandon() { return detail::result(C::abandon(std::exchange(handle_, nullptr))); }

    /// Gives it back now.
    Result<void> release() { return detail::result(C::release(std::exchange(handle_, nullptr))); }

private:
    template <class> friend class BasicLock;
    BasicGuard(typename C::Handle *handle, bool owner_died) : handle_(handle), owner_died_(owner_died) {}

    typename C::Handle *handle_;
    bool owner_died_;
};

/// Mutual exclusion between processes, which says when its owner died.
template <class C> class BasicLock : public Region<typename C::Handle> {
    using Base = Region<typename C::Handle>;

public:
    using Guard = BasicGuard<C>;

    MEMLANE_CONSTRUCTOR(explicit BasicLock(const Id &id, Opening opening = Opening::open_or_create,
                                           In space = {})
                        : BasicLock(open(id, opening, space)) {})

    static Result<BasicLock> open(const Id &id, Opening opening = Opening::open_or_create,
                                  In space = {}) {
        typename C::Handle *handle = nullptr;
        const Status status = C::open(detail::c(space), id.text(), detail::c(opening), &handle);
        return detail::result(status, BasicLock(handle));
    }

    /// Takes it; the guard says whether its last owner died.
    Result<Guard> acquire() const & { return guarded(C::acquire(Base::get(), MEMLANE_FOREVER)); }

    /// Takes it within the time.
    Result<std::optional<Guard>> acquire(Timeout timeout) const & {
        const Status status = C::acquire(Base::get(), detail::c(timeout));
        if (status == MEMLANE_OWNER_DIED) {
            return std::optional<Guard>(Guard(Base::get(), true));
        }
        return detail::unless(MEMLANE_TIMEOUT, status, Guard(status == MEMLANE_OK ? Base::get() : nullptr, false));
    }

    /// A guard gives the lock back through it.
    Result<Guard> acquire() const && = delete;
    Result<std::optional<Guard>> acquire(Timeout timeout) const && = delete;

    /// Who holds it, if anybody does.
    Result<std::optional<memlane_holder>> holder() const {
        memlane_holder holder{};
        const Status status = C::holder(Base::get(), &holder);
        return detail::unless(MEMLANE_EMPTY, status, std::move(holder));
    }

#if !defined(MEMLANE_NO_EXCEPTIONS)
    // As the standard library's mutexes, for std::lock_guard, std::unique_lock and std::scoped_lock. A dead owner's lock
    // is not taken by these: they throw MEMLANE_OWNER_DIED until somebody has put the data right under a Guard.

    void lock() const { take(C::acquire(Base::get(), MEMLANE_FOREVER)); }

    bool try_lock() const { return try_lock_for(Duration::zero()); }

    bool try_lock_for(Timeout timeout) const {
        const Status status = C::acquire(Base::get(), detail::c(timeout));
        if (status == MEMLANE_TIMEOUT) {
            return false;
        }
        take(status);
        return true;
    }

    void unlock() const { detail::result(C::release(Base::get())); }
#endif

private:
    template <class H> friend Result<BasicLock<detail::PlainLock>> lock_of(const Region<H> &region);
    explicit BasicLock(typename C::Handle *handle) : Base(handle) {}

    Result<Guard> guarded(Status status) const {
        const bool taken = status == MEMLANE_OK || status == MEMLANE_OWNER_DIED;
        return detail::result(taken ? MEMLANE_OK : status,
                              Guard(taken ? Base::get() : nullptr, status == MEMLANE_OWNER_DIED));
    }

#if !defined(MEMLANE_NO_EXCEPTIONS)
    void take(Status status) const {
        if (status == MEMLANE_OK) {
            return;
        }
        const Error error(status);
        if (status == MEMLANE_OWNER_DIED) {
            (void)C::abandon(Base::get());
        }
        throw error;
    }
#endif
};

using Lock = BasicLock<detail::PlainLock>;
using LockGuard = Lock::Guard;
/// A lock that the thread which holds it may take again.
using RLock = BasicLock<detail::ReentrantLock>;
using RLockGuard = RLock::Guard;

/// The own lock of a region of any kind, for its users: `auto own = memlane::lock_of(joints);`. No kind takes it for its
/// own purposes.
template <class H> Result<Lock> lock_of(const Region<H> &region) {
    memlane_lock *handle = nullptr;
    const Status status = memlane_lock_of(region.get(), &handle);
    return detail::result(status, Lock(handle));
}

/// Many readers or one writer.
class RwLock : public Region<memlane_rwlock> {
public:
    MEMLANE_CONSTRUCTOR(explicit RwLock(const Id &id, Opening opening = Opening::open_or_create,
                                        In space = {})
                        : RwLock(open(id, opening, space)) {})

    static Result<RwLock> open(const Id &id, Opening opening = Opening::open_or_create, In space = {}) {
        memlane_rwlock *handle = nullptr;
        const Status status = memlane_rwlock_open(detail::c(space), id.text(), detail::c(opening), &handle);
        return detail::result(status, RwLock(handle));
    }

    /// A read or write lock, given back at the end. The rwlock must live longer.
    class [[nodiscard]] Guard {
    public:
        Guard(Guard &&other) noexcept
            : handle_(std::exchange(other.handle_, nullptr)), writes_(other.writes_), owner_died_(other.owner_died_) {}
        Guard &operator=(Guard &&) = delete;
        ~Guard() {
            if (handle_) {
                (void)(writes_ ? memlane_rwlock_release_write : memlane_rwlock_release_read)(handle_);
            }
        }

        /// Whether a writer died, so that the data may be half-changed.
        bool owner_died() const noexcept { return owner_died_; }

        /// Says that the data is whole again; of a writer.
        Result<void> make_consistent() const { return detail::result(memlane_rwlock_make_consistent(handle_)); }

    private:
        friend RwLock;
        Guard(memlane_rwlock *handle, bool writes, bool owner_died)
            : handle_(handle), writes_(writes), owner_died_(owner_died) {}
        memlane_rwlock *handle_;
        bool writes_;
        bool owner_died_;
    };

    Result<Guard> read() const & { return guarded(memlane_rwlock_acquire_read(get(), MEMLANE_FOREVER), false); }
    Result<Guard> write() const & { return guarded(memlane_rwlock_acquire_write(get(), MEMLANE_FOREVER), true); }
    Result<std::optional<Guard>> read(Timeout timeout) const & {
        return maybe(memlane_rwlock_acquire_read(get(), detail::c(timeout)), false);
    }
    Result<std::optional<Guard>> write(Timeout timeout) const & {
        return maybe(memlane_rwlock_acquire_write(get(), detail::c(timeout)), true);
    }

    /// A guard gives the lock back through it.
    Result<Guard> read() const && = delete;
    Result<Guard> write() const && = delete;
    Result<std::optional<Guard>> read(Timeout timeout) const && = delete;
    Result<std::optional<Guard>> write(Timeout timeout) const && = delete;

private:
    explicit RwLock(memlane_rwlock *handle) : Region(handle) {}

    static bool taken(Status status) { return status == MEMLANE_OK || status == MEMLANE_OWNER_DIED; }
    Guard guard(Status status, bool writes) const {
        return {taken(status) ? get() : nullptr, writes, status == MEMLANE_OWNER_DIED};
    }
    Result<Guard> guarded(Status status, bool writes) const {
        return detail::result(taken(status) ? MEMLANE_OK : status, guard(status, writes));
    }
    Result<std::optional<Guard>> maybe(Status status, bool writes) const {
        return detail::unless(MEMLANE_TIMEOUT, taken(status) ? MEMLANE_OK : status, guard(status, writes));
    }
};

/* ---- Semaphores, events, conditions, barriers ---- */

/// Permits that are held by processes, and return when they die.
class Semaphore : public Region<memlane_semaphore> {
public:
    MEMLANE_CONSTRUCTOR(Semaphore(const Id &id, std::uint32_t permits, Opening opening = Opening::open_or_create,
                                  In space = {})
                        : Semaphore(open(id, permits, opening, space)) {})

    static Result<Semaphore> open(const Id &id, std::uint32_t permits, Opening opening = Opening::open_or_create,
                                  In space = {}) {
        memlane_semaphore *handle = nullptr;
        const Status status = memlane_semaphore_open(detail::c(space), id.text(), detail::c(opening), permits, &handle);
        return detail::result(status, Semaphore(handle));
    }

    Result<void> acquire(std::uint32_t count = 1) const {
        return detail::result(memlane_semaphore_acquire(get(), count, MEMLANE_FOREVER));
    }
    Result<bool> acquire(std::uint32_t count, Timeout timeout) const {
        return detail::in_time(memlane_semaphore_acquire(get(), count, detail::c(timeout)));
    }
    Result<void> release(std::uint32_t count = 1) const {
        return detail::result(memlane_semaphore_release(get(), count));
    }
    Result<std::uint32_t> free() const {
        std::uint32_t free = 0;
        const Status status = memlane_semaphore_free(get(), &free, nullptr);
        return detail::result(status, std::move(free));
    }

private:
    explicit Semaphore(memlane_semaphore *handle) : Region(handle) {}
};

/// A counter that anybody may raise.
class SignalSemaphore : public Region<memlane_signal_semaphore> {
public:
    MEMLANE_CONSTRUCTOR(explicit SignalSemaphore(const Id &id, std::uint32_t initial = 0,
                                                 std::uint32_t maximum = UINT32_MAX,
                                                 Opening opening = Opening::open_or_create,
                                                 In space = {})
                        : SignalSemaphore(open(id, initial, maximum, opening, space)) {})

    static Result<SignalSemaphore> open(const Id &id, std::uint32_t initial = 0, std::uint32_t maximum = UINT32_MAX,
                                        Opening opening = Opening::open_or_create, In space = {}) {
        memlane_signal_semaphore *handle = nullptr;
        const Status status =
            memlane_signal_semaphore_open(detail::c(space), id.text(), detail::c(opening), initial, maximum, &handle);
        return detail::result(status, SignalSemaphore(handle));
    }

    Result<void> acquire() const { return detail::result(memlane_signal_semaphore_acquire(get(), MEMLANE_FOREVER)); }
    Result<bool> acquire(Timeout timeout) const {
        return detail::in_time(memlane_signal_semaphore_acquire(get(), detail::c(timeout)));
    }
    Result<void> release(std::uint32_t count = 1) const {
        return detail::result(memlane_signal_semaphore_release(get(), count));
    }
    Result<std::uint32_t> value() const {
        std::uint32_t value = 0;
        const Status status = memlane_signal_semaphore_value(get(), &value);
        return detail::result(status, std::move(value));
    }

private:
    explicit SignalSemaphore(memlane_signal_semaphore *handle) : Region(handle) {}
};

/// A flag to wait for.
class Event : public Region<memlane_event> {
public:
    MEMLANE_CONSTRUCTOR(explicit Event(const Id &id, bool auto_reset = false,
                                       Opening opening = Opening::open_or_create, In space = {})
                        : Event(open(id, auto_reset, opening, space)) {})

    static Result<Event> open(const Id &id, bool auto_reset = false, Opening opening = Opening::open_or_create,
                              In space = {}) {
        memlane_event *handle = nullptr;
        const Status status = memlane_event_open(detail::c(space), id.text(), detail::c(opening), auto_reset, &handle);
        return detail::result(status, Event(handle));
    }

    Result<void> set() const { return detail::result(memlane_event_set(get())); }
    Result<bool> clear() const {
        bool was_set = false;
        const Status status = memlane_event_clear(get(), &was_set);
        return detail::result(status, std::move(was_set));
    }
    Result<bool> is_set() const {
        bool is_set = false;
        const Status status = memlane_event_is_set(get(), &is_set);
        return detail::result(status, std::move(is_set));
    }
    Result<void> wait() const { return detail::result(memlane_event_wait(get(), MEMLANE_FOREVER)); }
    Result<bool> wait(Timeout timeout) const {
        return detail::in_time(memlane_event_wait(get(), detail::c(timeout)));
    }

private:
    explicit Event(memlane_event *handle) : Region(handle) {}
};

/// Something to wait for under a Lock or RLock.
class Condition : public Region<memlane_condition> {
public:
    MEMLANE_CONSTRUCTOR(explicit Condition(const Id &id, std::uint32_t threads = 128,
                                           Opening opening = Opening::open_or_create, In space = {})
                        : Condition(open(id, threads, opening, space)) {})

    static Result<Condition> open(const Id &id, std::uint32_t threads = 128,
                                  Opening opening = Opening::open_or_create, In space = {}) {
        memlane_condition *handle = nullptr;
        const Status status = memlane_condition_open(detail::c(space), id.text(), detail::c(opening), threads, &handle);
        return detail::result(status, Condition(handle));
    }

    /// Waits with a lock that this thread holds, and holds again afterwards, also after an error.
    template <class C> Result<void> wait(const BasicLock<C> &lock) const {
        return detail::result(memlane_condition_wait(get(), lock.get(), MEMLANE_FOREVER));
    }
    template <class C> Result<bool> wait(const BasicLock<C> &lock, Timeout timeout) const {
        return detail::in_time(memlane_condition_wait(get(), lock.get(), detail::c(timeout)));
    }

    /// Lets those `count` go who wait longest; gives back how many there were.
    Result<std::size_t> notify(std::size_t count = 1) const {
        std::size_t notified = 0;
        const Status status = memlane_condition_notify(get(), count, &notified);
        return detail::result(status, std::move(notified));
    }
    Result<std::size_t> notify_all() const { return notify(SIZE_MAX); }

private:
    explicit Condition(memlane_condition *handle) : Region(handle) {}
};

/// A meeting of so many parties.
class Barrier : public Region<memlane_barrier> {
public:
    MEMLANE_CONSTRUCTOR(Barrier(const Id &id, std::uint32_t parties, Opening opening = Opening::open_or_create,
                                In space = {})
                        : Barrier(open(id, parties, opening, space)) {})

    static Result<Barrier> open(const Id &id, std::uint32_t parties, Opening opening = Opening::open_or_create,
                                In space = {}) {
        memlane_barrier *handle = nullptr;
        const Status status = memlane_barrier_open(detail::c(space), id.text(), detail::c(opening), parties, &handle);
        return detail::result(status, Barrier(handle));
    }

    /// Waits for all parties; gives back a number of its own for each.
    Result<std::uint32_t> wait() const { return wait_for(MEMLANE_FOREVER); }
    /// When time is up, it is broken, and that is an error.
    Result<std::uint32_t> wait(Timeout timeout) const { return wait_for(detail::c(timeout)); }
    Result<void> abort() const { return detail::result(memlane_barrier_abort(get())); }
    Result<void> reset() const { return detail::result(memlane_barrier_reset(get())); }
    Result<bool> is_broken() const {
        bool broken = false;
        const Status status = memlane_barrier_state(get(), nullptr, &broken);
        return detail::result(status, std::move(broken));
    }

private:
    explicit Barrier(memlane_barrier *handle) : Region(handle) {}
    Result<std::uint32_t> wait_for(std::int64_t timeout) const {
        std::uint32_t index = 0;
        const Status status = memlane_barrier_wait(get(), timeout, &index);
        return detail::result(status, std::move(index));
    }
};

/* ---- Messages ---- */

enum class Tag : std::uint32_t {
    bytes = MEMLANE_BYTES,
    utf8 = MEMLANE_UTF8,
    json = MEMLANE_JSON,
    pickle = MEMLANE_PICKLE
};

namespace detail {
inline memlane_tag c(Tag tag) { return static_cast<memlane_tag>(tag); }
} // namespace detail

/// A message, copied out; its bytes are a std::string, whatever they are.
struct Message {
    std::string bytes;
    Tag tag = Tag::bytes;
};

/// A message that was handed out: read where it lies, handed out again unless it is acknowledged.
class [[nodiscard]] Lease {
public:
    std::string_view bytes() const noexcept { return {static_cast<const char *>(data_), size_}; }
    Tag tag() const noexcept { return tag_; }
    /// How often it was handed out before, to somebody who died or gave it back.
    std::uint32_t redelivered() const noexcept { return redelivered_; }
    /// Done with it.
    Result<void> acknowledge() { return detail::result(memlane_lease_acknowledge(handle_.release())); }

private:
    friend class Queue;
    explicit Lease(memlane_lease *handle) : handle_(handle) {
        memlane_tag tag = MEMLANE_BYTES;
        if (handle && memlane_lease_message(handle, &data_, &size_, &tag, &redelivered_) == MEMLANE_OK) {
            tag_ = static_cast<Tag>(tag);
        }
    }
    detail::Handle<memlane_lease> handle_;
    const void *data_ = nullptr;
    std::size_t size_ = 0;
    Tag tag_ = Tag::bytes;
    std::uint32_t redelivered_ = 0;
};

/// Room for a message that is written where it will lie; nothing is sent unless it is committed.
class [[nodiscard]] Reservation {
public:
    void *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    Result<void> commit(Tag tag = Tag::bytes) { return commit(size_, tag); }
    /// Only its first `size` bytes; MEMLANE_TOO_LARGE, and nothing is sent, when so many were not reserved.
    Result<void> commit(std::size_t size, Tag tag) {
        const Status status = memlane_reservation_commit(handle_.get(), detail::c(tag), size);
        if (status != MEMLANE_NOT_OWNER) {
            (void)handle_.release(); // It is closed.
        }
        return detail::result(status);
    }

private:
    friend class Queue;
    Reservation(memlane_reservation *handle, void *data, std::size_t size)
        : handle_(handle), data_(data), size_(size) {}
    detail::Handle<memlane_reservation> handle_;
    void *data_;
    std::size_t size_;
};

/// Messages between any number of processes, each taken once.
class Queue : public Region<memlane_queue> {
public:
    MEMLANE_CONSTRUCTOR(explicit Queue(const Id &id, const memlane_queue_options &options = defaults(),
                                       Opening opening = Opening::open_or_create, In space = {})
                        : Queue(open(id, options, opening, space)) {})

    static memlane_queue_options defaults() noexcept { return MEMLANE_QUEUE_DEFAULTS; }

    static Result<Queue> open(const Id &id, const memlane_queue_options &options = defaults(),
                              Opening opening = Opening::open_or_create, In space = {}) {
        memlane_queue *handle = nullptr;
        const Status status = memlane_queue_open(detail::c(space), id.text(), detail::c(opening), &options, &handle);
        return detail::result(status, Queue(handle));
    }

    Result<void> put(std::string_view message, Tag tag = Tag::bytes) const {
        return detail::result(put(message, tag, MEMLANE_FOREVER));
    }
    Result<bool> put(std::string_view message, Timeout timeout, Tag tag = Tag::bytes) const {
        return detail::in_time(put(message, tag, detail::c(timeout)));
    }

    Result<Message> take() const {
        Message message;
        const Status status = take(message, MEMLANE_FOREVER);
        return detail::result(status, std::move(message));
    }
    Result<std::optional<Message>> take(Timeout timeout) const {
        Message message;
        const Status status = take(message, detail::c(timeout));
        return detail::unless(MEMLANE_TIMEOUT, status, std::move(message));
    }

    Result<Lease> lease() const {
        memlane_lease *handle = nullptr;
        const Status status = memlane_queue_lease(get(), MEMLANE_FOREVER, &handle);
        return detail::result(status, Lease(handle));
    }
    Result<std::optional<Lease>> lease(Timeout timeout) const {
        memlane_lease *handle = nullptr;
        const Status status = memlane_queue_lease(get(), detail::c(timeout), &handle);
        return detail::unless(MEMLANE_TIMEOUT, status, Lease(handle));
    }

    Result<Reservation> reserve(std::size_t size) const {
        memlane_reservation *handle = nullptr;
        void *data = nullptr;
        const Status status = memlane_queue_reserve(get(), size, MEMLANE_FOREVER, &handle, &data);
        return detail::result(status, Reservation(handle, data, size));
    }

    /// Nothing can be put any more, by anybody; what is in it can be taken.
    Result<void> shut_down() const { return detail::result(memlane_queue_shut_down(get())); }

    Result<std::size_t> size() const {
        std::size_t length = 0;
        const Status status = memlane_queue_state(get(), &length, nullptr, nullptr);
        return detail::result(status, std::move(length));
    }

private:
    explicit Queue(memlane_queue *handle) : Region(handle) {}
    Status put(std::string_view message, Tag tag, std::int64_t timeout) const {
        return memlane_queue_put(get(), detail::c(tag), message.data(), message.size(), timeout);
    }
    Status take(Message &message, std::int64_t timeout) const {
        memlane_tag tag = MEMLANE_BYTES;
        const Status status =
            detail::fill(message.bytes, 0, [&](char *buffer, std::size_t capacity, std::size_t *size) {
                return memlane_queue_get(get(), buffer, capacity, size, &tag, timeout);
            });
        message.tag = static_cast<Tag>(tag);
        return status;
    }
};

enum class Side : std::uint32_t { left = MEMLANE_LEFT, right = MEMLANE_RIGHT };

/// One end of a pipe.
class PipeEnd : public Region<memlane_pipe_end> {
public:
    MEMLANE_CONSTRUCTOR(PipeEnd(const Id &id, Side side, const memlane_pipe_options &options = defaults(),
                                Opening opening = Opening::open_or_create, In space = {})
                        : PipeEnd(open(id, side, options, opening, space)) {})

    static memlane_pipe_options defaults() noexcept { return MEMLANE_PIPE_DEFAULTS; }

    static Result<PipeEnd> open(const Id &id, Side side, const memlane_pipe_options &options = defaults(),
                                Opening opening = Opening::open_or_create, In space = {}) {
        memlane_pipe_end *handle = nullptr;
        const Status status = memlane_pipe_end_open(detail::c(space), id.text(), detail::c(opening),
                                                    static_cast<memlane_side>(side), &options, &handle);
        return detail::result(status, PipeEnd(handle));
    }

    Result<void> send(std::string_view message, Tag tag = Tag::bytes) const {
        return detail::result(
            memlane_pipe_end_send(get(), detail::c(tag), message.data(), message.size(), MEMLANE_FOREVER));
    }
    Result<bool> send(std::string_view message, Timeout timeout, Tag tag = Tag::bytes) const {
        return detail::in_time(
            memlane_pipe_end_send(get(), detail::c(tag), message.data(), message.size(), detail::c(timeout)));
    }

    /// MEMLANE_END_OF_PIPE when the other end is gone and everything it sent was received.
    Result<Message> receive() const {
        Message message;
        const Status status = receive(message, MEMLANE_FOREVER);
        return detail::result(status, std::move(message));
    }
    Result<std::optional<Message>> receive(Timeout timeout) const {
        Message message;
        const Status status = receive(message, detail::c(timeout));
        return detail::unless(MEMLANE_TIMEOUT, status, std::move(message));
    }

    /// Whether receiving would not wait.
    Result<bool> poll(Timeout timeout = Duration::zero()) const {
        return detail::in_time(memlane_pipe_end_poll(get(), detail::c(timeout)));
    }

private:
    explicit PipeEnd(memlane_pipe_end *handle) : Region(handle) {}
    Status receive(Message &message, std::int64_t timeout) const {
        memlane_tag tag = MEMLANE_BYTES;
        const Status status =
            detail::fill(message.bytes, 0, [&](char *buffer, std::size_t capacity, std::size_t *size) {
                return memlane_pipe_end_receive(get(), buffer, capacity, size, &tag, timeout);
            });
        message.tag = static_cast<Tag>(tag);
        return status;
    }
};

/* ---- Frames ---- */

/// What a frame channel is made for.
class FrameSpec {
public:
    /// Frames that a schema describes.
    static FrameSpec of(std::string schema) {
        FrameSpec spec;
        spec.schema_ = std::move(schema);
        return spec;
    }
    /// Frames of any length up to `capacity` bytes.
    static FrameSpec bytes(std::size_t capacity) {
        FrameSpec spec;
        spec.options_.capacity = capacity;
        return spec;
    }

    /// How the bytes are to be understood: "bgr8", "rgb8", "mono8", "jpeg" ...
    FrameSpec &encoding(std::string encoding) & {
        encoding_ = std::move(encoding);
        return *this;
    }
    FrameSpec &&encoding(std::string text) && { return std::move(encoding(std::move(text))); }
    /// How many frames stay on offer.
    FrameSpec &history(std::uint32_t frames) & {
        options_.history = frames;
        return *this;
    }
    FrameSpec &&history(std::uint32_t frames) && { return std::move(history(frames)); }
    /// How many frames all subscribers together can hold.
    FrameSpec &borrows(std::uint32_t entries) & {
        options_.borrows = entries;
        return *this;
    }
    FrameSpec &&borrows(std::uint32_t entries) && { return std::move(borrows(entries)); }

    /// Good as long as this lives.
    memlane_frame_options options() const noexcept {
        memlane_frame_options options = options_;
        options.schema = schema_.empty() ? nullptr : schema_.c_str();
        options.encoding = encoding_.empty() ? nullptr : encoding_.c_str();
        return options;
    }

private:
    FrameSpec() = default;
    std::string schema_;
    std::string encoding_;
    memlane_frame_options options_ = MEMLANE_FRAME_DEFAULTS;
};

/// Pictures of height x width pixels with so many samples each, rows from the top, no padding; their encoding is what
/// OpenCV takes them for: bgr8, bgra8, mono8, mono16, 32fc1.
template <class Sample = std::uint8_t>
FrameSpec image(std::size_t height, std::size_t width, std::size_t channels = 3) {
    std::string shape = "[" + std::to_string(height) + "," + std::to_string(width);
    if (channels != 1) {
        shape += "," + std::to_string(channels);
    }
    std::string encoding;
    if constexpr (std::is_same_v<Sample, std::uint8_t>) {
        encoding = channels == 1 ? "mono8" : channels == 3 ? "bgr8" : channels == 4 ? "bgra8" : "";
    } else if constexpr (std::is_same_v<Sample, std::uint16_t>) {
        encoding = channels == 1 ? "mono16" : "";
    } else if constexpr (std::is_same_v<Sample, float>) {
        encoding = channels == 1 ? "32fc1" : "";
    }
    return FrameSpec::of(shape + "]" + schema<Sample>()).encoding(std::move(encoding));
}

/// A frame that is being written in place. Not published, it is discarded. The publisher must live longer.
class [[nodiscard]] Loan {
public:
    Loan(Loan &&other) noexcept : publisher_(std::exchange(other.publisher_, nullptr)), loan_(other.loan_) {}
    Loan &operator=(Loan &&other) noexcept {
        Loan taken(std::move(other));
        std::swap(publisher_, taken.publisher_);
        std::swap(loan_, taken.loan_);
        return *this;
    }
    ~Loan() {
        if (publisher_) {
            (void)memlane_frame_publisher_discard(publisher_);
        }
    }

    /// Where it lies: `cv::Mat view(404, 640, CV_8UC3, loan.data())`. Good until it is published.
    void *data() const noexcept { return loan_.data; }
    template <class T> T *as() const noexcept { return static_cast<T *>(loan_.data); }
    std::size_t size() const noexcept { return loan_.size; }
    std::uint64_t sequence() const noexcept { return loan_.sequence; }
#if defined(__cpp_lib_span)
    std::span<std::byte> bytes() const noexcept { return {static_cast<std::byte *>(loan_.data), loan_.size}; }
#endif

    /// Makes it visible, captured now; gives back its number. After an error it is still on loan. A second time, or moved
    /// away, is MEMLANE_NO_LOAN.
    Result<std::uint64_t> publish() {
        return publish_by([](memlane_frame_publisher *publisher, std::uint64_t *sequence) {
            return memlane_frame_publisher_publish(publisher, sequence);
        });
    }

    /// Makes it visible with what the camera knows: when it was captured, and how many bytes it has where they vary.
    Result<std::uint64_t> publish(std::chrono::system_clock::time_point captured, std::size_t size = SIZE_MAX) {
        const auto wall = std::chrono::duration_cast<std::chrono::nanoseconds>(captured.time_since_epoch());
        return publish_at(static_cast<std::uint64_t>(wall.count()), size);
    }

    /// Makes its first `size` bytes visible, captured now, where frames vary in length.
    Result<std::uint64_t> publish(std::size_t size) { return publish_at(0, size); }

private:
    friend class FramePublisher;
    Loan(memlane_frame_publisher *publisher, const memlane_loan &loan) : publisher_(publisher), loan_(loan) {}
    Result<std::uint64_t> publish_at(std::uint64_t captured, std::size_t size) {
        return publish_by([=](memlane_frame_publisher *publisher, std::uint64_t *sequence) {
            return memlane_frame_publisher_publish_captured(publisher, captured, size, sequence);
        });
    }
    template <class Publish> Result<std::uint64_t> publish_by(Publish publish) {
        if (!publisher_) {
            return detail::failure<Result<std::uint64_t>>(
                Error(MEMLANE_NO_LOAN, "this frame is not on loan any more: it was published, or moved away"));
        }
        std::uint64_t sequence = 0;
        const Status status = publish(publisher_, &sequence);
        if (status == MEMLANE_OK) {
            publisher_ = nullptr;
        }
        return detail::result(status, std::move(sequence));
    }
    memlane_frame_publisher *publisher_;
    memlane_loan loan_;
};

/// The one who publishes frames.
class FramePublisher : public Region<memlane_frame_publisher> {
public:
    MEMLANE_CONSTRUCTOR(FramePublisher(const Id &id, const FrameSpec &spec,
                                       Opening opening = Opening::open_or_create, In space = {})
                        : FramePublisher(open(id, spec, opening, space)) {})

    static Result<FramePublisher> open(const Id &id, const FrameSpec &spec,
                                       Opening opening = Opening::open_or_create, In space = {}) {
        const memlane_frame_options options = spec.options();
        memlane_frame_publisher *handle = nullptr;
        const Status status =
            memlane_frame_publisher_open(detail::c(space), id.text(), detail::c(opening), &options, &handle);
        return detail::result(status, FramePublisher(handle));
    }

    /// A frame to write in place, one at a time: MEMLANE_ON_LOAN while another one is held.
    Result<Loan> loan() const & {
        memlane_loan loan{};
        const Status status = memlane_frame_publisher_loan(get(), &loan);
        return detail::result(status, Loan(status == MEMLANE_OK ? get() : nullptr, loan));
    }
    /// A loan is published through it.
    Result<Loan> loan() const && = delete;

    /// Copies a frame in and publishes it; gives back its number. MEMLANE_ON_LOAN while a loan is held.
    Result<std::uint64_t> publish(const void *frame, std::size_t size) const {
        memlane_loan loan{};
        Status status = memlane_frame_publisher_loan(get(), &loan);
        std::uint64_t sequence = 0;
        if (status == MEMLANE_OK) {
            std::memcpy(loan.data, frame, size < loan.size ? size : loan.size);
            status = memlane_frame_publisher_publish_captured(get(), 0, size, &sequence);
            if (status != MEMLANE_OK) {
                (void)memlane_frame_publisher_discard(get());
            }
        }
        return detail::result(status, std::move(sequence));
    }

private:
    explicit FramePublisher(memlane_frame_publisher *handle) : Region(handle) {}
};

/// A frame, read where it lies: it does not change as long as this lives, in any thread, whatever becomes of its publisher
/// and its subscriber.
class [[nodiscard]] Frame {
public:
    /// Nothing yet; the next one can be moved here.
    Frame() noexcept : frame_() {}
    Frame(Frame &&other) noexcept : frame_(std::exchange(other.frame_, memlane_frame())) {}
    Frame &operator=(Frame &&other) noexcept {
        Frame taken(std::move(other));
        std::swap(frame_, taken.frame_);
        return *this;
    }
    ~Frame() {
        if (frame_.owner) {
            (void)memlane_frame_release(&frame_);
        }
    }

    const void *data() const noexcept { return frame_.data; }
    template <class T> const T *as() const noexcept { return static_cast<const T *>(frame_.data); }
    std::size_t size() const noexcept { return frame_.size; }
    /// From 1, going on across publishers.
    std::uint64_t sequence() const noexcept { return frame_.sequence; }
    /// When it was captured, on the clock of CLOCK_MONOTONIC.
    std::chrono::steady_clock::time_point captured() const noexcept {
        return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(frame_.captured));
    }
    std::chrono::system_clock::time_point captured_wall() const noexcept {
        return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::nanoseconds(frame_.captured_wall)));
    }
    /// How long ago it was captured.
    Duration age() const { return std::chrono::steady_clock::now() - captured(); }
#if defined(__cpp_lib_span)
    std::span<const std::byte> bytes() const noexcept {
        return {static_cast<const std::byte *>(frame_.data), frame_.size};
    }
#endif

private:
    friend class FrameSubscriber;
    memlane_frame frame_;
};

/// One reader of a frame channel.
class FrameSubscriber : public Region<memlane_frame_subscriber> {
public:
    MEMLANE_CONSTRUCTOR(explicit FrameSubscriber(const Id &id,
                                                 const memlane_subscriber_options &options = defaults(),
                                                 In space = {})
                        : FrameSubscriber(open(id, options, space)) {})

    static memlane_subscriber_options defaults() noexcept { return MEMLANE_SUBSCRIBER_DEFAULTS; }

    static Result<FrameSubscriber> open(const Id &id, const memlane_subscriber_options &options = defaults(),
                                        In space = {}) {
        memlane_frame_subscriber *handle = nullptr;
        const Status status = memlane_frame_subscriber_open(detail::c(space), id.text(), &options, &handle);
        return detail::result(status, FrameSubscriber(handle));
    }

    /// The oldest frame on offer that is newer than the last one returned; waits for one.
    Result<Frame> next() const {
        return detail::made<Frame>([this](Frame &frame) {
            return memlane_frame_subscriber_next(get(), MEMLANE_FOREVER, &frame.frame_);
        });
    }
    Result<std::optional<Frame>> next(Timeout timeout) const {
        return unless(MEMLANE_TIMEOUT, [this, timeout](memlane_frame *frame) {
            return memlane_frame_subscriber_next(get(), detail::c(timeout), frame);
        });
    }

    /// The newest frame, whether it was returned before or not; nothing when there never was one.
    Result<std::optional<Frame>> latest() const {
        return unless(MEMLANE_EMPTY,
                      [this](memlane_frame *frame) { return memlane_frame_subscriber_latest(get(), frame); });
    }

    /// How many frames were passed over.
    Result<std::uint64_t> missed() const {
        std::uint64_t missed = 0;
        const Status status = memlane_frame_subscriber_missed(get(), &missed);
        return detail::result(status, std::move(missed));
    }

private:
    explicit FrameSubscriber(memlane_frame_subscriber *handle) : Region(handle) {}
    template <class Take> static Result<std::optional<Frame>> unless(Status nothing, Take take) {
        return detail::made<std::optional<Frame>>([nothing, &take](std::optional<Frame> &frame) {
            const Status status = take(&frame.emplace().frame_);
            if (status != nothing) {
                return status;
            }
            frame.reset();
            return MEMLANE_OK;
        });
    }
};

/* ---- Streams ---- */

/// The one who publishes records; `T` is a scalar, an array of them, or has MEMLANE_DESCRIBE.
template <class T> class StreamPublisher : public Region<memlane_stream_publisher> {
public:
    MEMLANE_CONSTRUCTOR(explicit StreamPublisher(const Id &id, const memlane_stream_options &options = defaults(),
                                                 Opening opening = Opening::open_or_create,
                                                 In space = {})
                        : StreamPublisher(open(id, options, opening, space)) {})

    static memlane_stream_options defaults() noexcept { return MEMLANE_STREAM_DEFAULTS; }

    /// The schema is T's, whatever `options` say, and however it is opened.
    static Result<StreamPublisher> open(const Id &id, memlane_stream_options options = defaults(),
                                        Opening opening = Opening::open_or_create, In space = {}) {
        const std::string schema = memlane::schema<T>();
        options.schema = schema.c_str();
        memlane_stream_publisher *handle = nullptr;
        const Status opened = memlane_stream_publisher_open(detail::c(space), id.text(), detail::c(opening),
                                                            &options, &handle);
        const Status status = detail::expect_schema(opened, handle, schema);
        return detail::result(status, StreamPublisher(handle));
    }

    /// Gives back its number, from 0.
    Result<std::uint64_t> append(const T &record) const { return append(&record, 1); }

    /// Several as one change; gives back the number of the first.
    Result<std::uint64_t> append(const std::vector<T> &records) const { return append(records.data(), records.size()); }
    Result<std::uint64_t> append(const T *records, std::size_t count) const {
        std::uint64_t sequence = 0;
        const Status status = memlane_stream_publisher_append(get(), records, count * sizeof(T), &sequence);
        return detail::result(status, std::move(sequence));
    }

private:
    explicit StreamPublisher(memlane_stream_publisher *handle) : Region(handle) {}
};

/// One reader of a stream of `T`.
template <class T> class StreamSubscriber : public Region<memlane_stream_subscriber> {
public:
    struct Record {
        T value;
        std::uint64_t sequence;
    };
    struct Records {
        std::vector<T> values;
        /// Number of the first of them.
        std::uint64_t first;
    };

    MEMLANE_CONSTRUCTOR(explicit StreamSubscriber(const Id &id, std::uint64_t history = 0,
                                                  In space = {}, Duration spin = Duration::zero())
                        : StreamSubscriber(open(id, history, space, spin)) {})

    /// The stream must be of T's schema.
    static Result<StreamSubscriber> open(const Id &id, std::uint64_t history = 0, In space = {},
                                         Duration spin = Duration::zero()) {
        memlane_stream_subscriber *handle = nullptr;
        const Status opened = memlane_stream_subscriber_open(
            detail::c(space), id.text(), history,
            static_cast<std::uint64_t>(spin < Duration::zero() ? 0 : spin.count()), &handle);
        const Status status = detail::expect_schema(opened, handle, memlane::schema<T>());
        return detail::result(status, StreamSubscriber(handle));
    }

    Result<Record> next() const {
        Record record{};
        const Status status = next(record, MEMLANE_FOREVER);
        return detail::result(status, std::move(record));
    }
    Result<std::optional<Record>> next(Timeout timeout) const {
        Record record{};
        const Status status = next(record, detail::c(timeout));
        return detail::unless(MEMLANE_TIMEOUT, status, std::move(record));
    }

    /// Up to `count` records, as many as there are; waits for one when there is none.
    Result<Records> next_many(std::size_t count) const {
        Records records{};
        const Status status = next_many(records, count, MEMLANE_FOREVER);
        return detail::result(status, std::move(records));
    }
    Result<std::optional<Records>> next_many(std::size_t count, Timeout timeout) const {
        Records records{};
        const Status status = next_many(records, count, detail::c(timeout));
        return detail::unless(MEMLANE_TIMEOUT, status, std::move(records));
    }

    /// The newest `count` records, oldest first; fewer when there are fewer. Does not move the subscriber's place.
    Result<Records> last(std::size_t count) const {
        Records records{std::vector<T>(count), 0};
        std::size_t found = 0;
        Status status = memlane_stream_subscriber_last(get(), records.values.data(), count * sizeof(T), &found,
                                                       &records.first);
        records.values.resize(status == MEMLANE_OK ? found : 0);
        return detail::result(status == MEMLANE_EMPTY ? MEMLANE_OK : status, std::move(records));
    }

    /// How many were overwritten before they were read.
    Result<std::uint64_t> lost() const {
        std::uint64_t lost = 0;
        const Status status = memlane_stream_subscriber_state(get(), &lost, nullptr, nullptr);
        return detail::result(status, std::move(lost));
    }

private:
    explicit StreamSubscriber(memlane_stream_subscriber *handle) : Region(handle) {}
    Status next(Record &record, std::int64_t timeout) const {
        return memlane_stream_subscriber_next(get(), &record.value, sizeof record.value, &record.sequence, timeout);
    }
    Status next_many(Records &records, std::size_t count, std::int64_t timeout) const {
        std::size_t found = 0;
        records.values.resize(count);
        const Status status = memlane_stream_subscriber_next_many(get(), records.values.data(), count * sizeof(T), &found,
                                                                  &records.first, timeout);
        records.values.resize(status == MEMLANE_OK ? found : 0);
        return status;
    }
};

/* ---- Several things at once ---- */

namespace detail {
template <std::size_t N> Result<std::array<bool, N>> wait_any(const std::array<void *, N> &handles, std::int64_t timeout) {
    std::array<memlane_wait_item, N> items{};
    for (std::size_t number = 0; number < N; ++number) {
        items[number].handle = handles[number];
        (void)memlane_version(items[number].handle, &items[number].seen);
    }
    const Status status = memlane_wait_any(items.data(), N, timeout);
    std::array<bool, N> ready{};
    for (std::size_t number = 0; number < N; ++number) {
        ready[number] = items[number].ready;
    }
    return result(status == MEMLANE_TIMEOUT ? MEMLANE_OK : status, std::move(ready));
}
} // namespace detail

/// Waits until at least one of the things is ready, and says which. Of what has versions, the next one counts.
template <class... H> Result<std::array<bool, sizeof...(H)>> wait_any(const Region<H> &...things) {
    return detail::wait_any<sizeof...(H)>({things.get()...}, MEMLANE_FOREVER);
}
/// All false when time was up.
template <class... H> Result<std::array<bool, sizeof...(H)>> wait_any(Timeout timeout, const Region<H> &...things) {
    return detail::wait_any<sizeof...(H)>({things.get()...}, detail::c(timeout));
}

} // namespace memlane

#endif
