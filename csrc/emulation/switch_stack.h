// Leaving one stack for another: a few instructions on x86-64, ucontext elsewhere. For one source
// file only: it holds a definition.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && defined(__linux__) && !defined(SYMBREAK_EMULATION_UCONTEXT)

// Saves what the calling convention asks a function to preserve.
__asm__(R"(
.text
.hidden symbreak_switch_stack
.globl symbreak_switch_stack
.type symbreak_switch_stack, @function
symbreak_switch_stack:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp, (%rdi)
  movq (%rsi), %rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
.size symbreak_switch_stack, .-symbreak_switch_stack
)");
extern "C" void symbreak_switch_stack(void** from, void** to);

namespace symbreak::emulation {

struct StackState {
  void* pointer = nullptr;
};

inline void switch_stack(StackState* from, StackState* to) {
  symbreak_switch_stack(&from->pointer, &to->pointer);
}

// A stack that begins with a call of `entry`, which must not return.
inline void start_stack(StackState* state, void* memory, size_t bytes, void (*entry)()) {
  auto top = reinterpret_cast<uintptr_t>(memory) + bytes;
  void** pointer = reinterpret_cast<void**>(top / 16 * 16);
  *--pointer = nullptr;  // the return address of `entry`; it enters 8 bytes below a multiple of 16
  *--pointer = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--pointer = nullptr;  // the saved registers
  state->pointer = pointer;
}

}  // namespace symbreak::emulation

#else

#include <ucontext.h>

namespace symbreak::emulation {

struct StackState {
  ucontext_t context;
};

inline void switch_stack(StackState* from, StackState* to) {
  swapcontext(&from->context, &to->context);
}

inline void start_stack(StackState* state, void* memory, size_t bytes, void (*entry)()) {
  getcontext(&state->context);
  state->context.uc_stack.ss_sp = memory;
  state->context.uc_stack.ss_size = bytes;
  state->context.uc_link = nullptr;
  makecontext(&state->context, entry, 0);
}

}  // namespace symbreak::emulation

#endif
