// The kernels of the symmetry operators for one instruction set; see engine/kernel_table.h.
#include "cpu/symmetries/kernels.h"

#include "cpu/symmetries/amplitude_sweep.h"
#include "cpu/symmetries/content_scan.h"
#include "cpu/symmetries/content_sweeps.h"
#include "cpu/symmetries/correlation_sweeps.h"
#include "cpu/symmetries/line_sums.h"
#include "cpu/symmetries/sums.h"
#include "cpu/symmetries/turned_row.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename T>
constexpr SymmetryKernels<T> kSymmetryKernels = {kLanes<T>,
                                                 transform_rows<T>,
                                                 transform_rows_in_order<T>,
                                                 correlate_columns<T>,
                                                 row_peaks<T>,
                                                 row_powers<T>,
                                                 amplitude_columns<T>,
                                                 scan_content<T>,
                                                 turned_row<T>,
                                                 line_sums<T>,
                                                 power<T>,
                                                 inner_product<T>,
                                                 squared_difference<T>};

extern const SymmetryKernels<float> kSymmetrySingle = kSymmetryKernels<float>;
extern const SymmetryKernels<double> kSymmetryDouble = kSymmetryKernels<double>;

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
