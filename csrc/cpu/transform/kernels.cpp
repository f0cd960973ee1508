// The kernels of the symmetry operators for one instruction set; see engine/kernels.cpp.
#include "cpu/transform/kernels.h"

#include "cpu/transform/amplitude_sweep.h"
#include "cpu/transform/content_sweeps.h"
#include "cpu/transform/correlation_sweeps.h"
#include "cpu/transform/sums.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename T>
constexpr TransformKernels<T> kTransformKernels = {
    kLanes<T>,        transform_rows<T>,    transform_rows_in_order<T>, correlate_columns<T>,
    row_peaks<T>,     row_powers<T>,        amplitude_columns<T>,       power<T>,
    inner_product<T>, squared_difference<T>};

extern const TransformKernels<float> kTransformSingle = kTransformKernels<float>;
extern const TransformKernels<double> kTransformDouble = kTransformKernels<double>;

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
