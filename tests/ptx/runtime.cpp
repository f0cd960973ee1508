// The part of the CUDA runtime that the ops call, with the interpreter for a device: an H200 as far
// as anyone asks. What a kernel does wrong is a launch error with the place in its PTX, and stays.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "machine.h"

namespace {

struct Binary {
  int magic, version;
  const uint64_t* data;  // header of 16 bytes: magic, version, header size; bytes that follow
  void* file;
};

struct Kernel {
  const char* text;
  std::string name;
  int64_t shared_limit = 48 << 10;
};

struct Device {
  std::mutex mutex;
  std::map<const void*, Kernel> kernels;
  std::map<const char*, ptx::Module> modules;  // by their text, read when first needed
  std::string failure;                         // of a kernel, for good
};
Device& device() {  // kernels register themselves before other static variables are there
  static Device the_device;
  return the_device;
}
thread_local std::string last_error;

const char* text_of(const Binary& binary) {
  const char* const begin = reinterpret_cast<const char*>(binary.data);
  const size_t bytes = 16 + binary.data[1];
  static const std::string first = ".version";
  const char* found = std::search(begin, begin + bytes, first.begin(), first.end());
  return found == begin + bytes ? nullptr : found;
}

ptx::Module& module_of(const char* text) {
  const auto found = device().modules.find(text);
  if (found != device().modules.end()) return found->second;
  if (text == nullptr) throw ptx::Fault("no PTX in this module: compile with code=compute_90");
  ptx::Module& module = device().modules[text] = ptx::parse(text);
  for (const auto& [name, bytes] : module.globals) ptx::add_allocation(bytes.data(), bytes.size());
  return module;
}

int64_t shared_bytes() {
  const char* text = std::getenv("SYMBREAK_EMULATED_SHARED_BYTES");
  return text ? std::atoll(text) : 227 << 10;
}

cudaError_t refuse(cudaError_t code, const std::string& why) {
  last_error = why;
  return code;
}

cudaError_t launch(const void* function, const ptx::Shape& shape, bool one_axis, void** arguments) {
  const std::lock_guard lock(device().mutex);
  std::string& failure = device().failure;
  if (!failure.empty()) return refuse(cudaErrorLaunchFailure, failure);
  const auto found = device().kernels.find(function);
  if (found == device().kernels.end())
    return refuse(cudaErrorInvalidDeviceFunction, "unknown kernel");
  const Kernel& kernel = found->second;
  if (!one_axis || shape.blocks < 1 || shape.blocks > INT_MAX || shape.threads < 1 ||
      shape.threads > 1024 || shape.cluster < 1 || shape.cluster > 8 ||
      shape.blocks % shape.cluster != 0) {
    return refuse(cudaErrorInvalidConfiguration, "invalid configuration argument");
  }
  if (shape.shared_bytes > std::min(kernel.shared_limit, shared_bytes())) {
    return refuse(cudaErrorInvalidValue, "more shared memory than was asked for, or than there is");
  }
  ptx::lock_memory();
  try {
    ptx::Module& module = module_of(kernel.text);
    run_grid(module, module.functions.at(kernel.name), shape, arguments);
  } catch (const std::exception& fault) {
    failure = std::string("ptx: ") + fault.what();
    std::fprintf(stderr, "%s\n", failure.c_str());
  }
  ptx::unlock_memory();
  if (!failure.empty()) return refuse(cudaErrorLaunchFailure, failure);
  static const bool traced = std::getenv("SYMBREAK_PTX_TRACE") != nullptr;
  if (traced) {
    std::fprintf(stderr, "ptx: %s %lld x %lld\n", kernel.name.c_str(),
                 static_cast<long long>(shape.blocks), static_cast<long long>(shape.threads));
  }
  return cudaSuccess;
}

}  // namespace

extern "C" {

void** __cudaRegisterFatBinary(void* binary) { return static_cast<void**>(binary); }
void __cudaRegisterFatBinaryEnd(void**) {}
char __cudaInitModule(void**) { return 0; }
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterVar(void**, char*, char*, const char*, int, size_t, int, int) {}
void __cudaRegisterFunction(void** binary, const char* host, char*, const char* name, int, uint3*,
                            uint3*, dim3*, dim3*, int*) {
  const std::lock_guard lock(device().mutex);
  device().kernels[host] = {text_of(*reinterpret_cast<const Binary*>(binary)), name};
}
// Of <<<>>>, which the sources do not use.
unsigned __cudaPushCallConfiguration(dim3, dim3, size_t, void*) { std::abort(); }
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, size_t*, void*) { std::abort(); }
cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, size_t, cudaStream_t) {
  std::abort();
}
cudaError_t cudaLaunchKernel(const void*, dim3, dim3, void**, size_t, cudaStream_t) {
  std::abort();  // the same of older versions
}
cudaError_t __cudaGetKernel(cudaKernel_t*, const void*) { std::abort(); }

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function,
                                void** arguments) {
  ptx::Shape shape;
  shape.blocks = config->gridDim.x;
  shape.threads = config->blockDim.x;
  shape.shared_bytes = int64_t(config->dynamicSmemBytes);
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    if (config->attrs[i].id == cudaLaunchAttributeClusterDimension) {
      shape.cluster = config->attrs[i].val.clusterDim.x;
    }
  }
  const bool one_axis =
      config->gridDim.y * config->gridDim.z == 1 && config->blockDim.y * config->blockDim.z == 1;
  return launch(function, shape, one_axis, arguments);
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  const std::lock_guard lock(device().mutex);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value > shared_bytes())
    return refuse(cudaErrorInvalidValue, "so much shared memory no block has");
  device().kernels.at(function).shared_limit = value;
  return cudaSuccess;
}
// An H200: a cluster stays within one of its 8 groups of at least 16 multiprocessors.
cudaError_t cudaOccupancyMaxActiveClusters(int* clusters, const void*,
                                           const cudaLaunchConfig_t* config) {
  *clusters = 8 * (16 / int(config->attrs[0].val.clusterDim.x));
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t) {
  std::memset(to, value, bytes);
  ptx::set_by_host(to, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t) {
  std::memcpy(to, from, bytes);
  ptx::set_by_host(to, bytes);
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = int(shared_bytes());
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = 132;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = 9;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = 0;
      break;
    default:
      std::abort();
  }
  return cudaSuccess;
}
cudaError_t cudaGetLastError() {
  const cudaError_t code = last_error.empty() ? cudaSuccess : cudaErrorLaunchFailure;
  return code;
}
const char* cudaGetErrorString(cudaError_t) {
  static thread_local std::string told;
  told.swap(last_error);
  last_error.clear();
  return told.c_str();
}

}  // extern "C"
