// C++ names: namespaces, templates, virtual calls, lambdas and an exception on the way.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "target.h"

namespace geometry
{
template <typename Number, unsigned Steps> class Shape
{
  public:
    virtual ~Shape() = default;
    OPAQUE virtual Number area(Number value) const
    {
        WORK(value, Steps); /* known: base */
        return value;
    }
};

template <typename Number> class Circle final : public Shape<Number, 1000>
{
  public:
    OPAQUE Number area(Number value) const override
    {
        WORK(value, 3000); /* known: circle */
        return value;
    }
};
} // namespace geometry

static OPAQUE std::uint64_t visit(const geometry::Shape<std::uint64_t, 1000> &shape,
                                  std::uint64_t value)
{
    const auto measure = [&shape](std::uint64_t seed) { return shape.area(seed); };
    value = measure(value); /* known: visit */
    if (value == 0)
        throw std::runtime_error("a flat shape");
    return value;
}

int main(int argc, char **argv)
{
    const std::unique_ptr<geometry::Shape<std::uint64_t, 1000>> circle =
        std::make_unique<geometry::Circle<std::uint64_t>>();
    const geometry::Shape<std::uint64_t, 1000> base;
    std::uint64_t value = 1;
    target_start(argc, argv);
    for (;;) {
        try {
            value = visit(*circle, value);
            value = visit(base, value);
        } catch (const std::runtime_error &error) {
            value = 1;
        }
    }
}
