/* Cases in C, compiled in the builder of the target as a shared library without optimisation
   flags of anybody's own: gcc -O2 -shared -fPIC. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

/* volatile: the processor is asked, not the compiler. */

long sum_of_chars(void) {
    volatile char bytes[20];
    long sum = 0;
    for (int i = 0; i < 20; i++) bytes[i] = (char)(120 + i);
    for (int i = 0; i < 20; i++) sum += bytes[i];
    return sum;
}

long char_is_negative(void) { volatile char c = (char)0xff; return c < 0; }
long wchar_is_negative(void) { volatile wchar_t c = (wchar_t)-1; return c < 0; }
long long_double_digits(void) { return LDBL_MANT_DIG; }

long divide_by_zero(void) { volatile int one = 1, zero = 0; return one / zero; }
long remainder_of_minimum(void) { volatile int a = INT32_MIN, b = -1; return a % b; }

double contracted(void) { volatile double a = .1, b = 10, c = -1; double x = a, y = b, z = c; return x * y + z; }
double default_nan(void) { volatile double zero = 0; return copysign(1, zero / zero); }

long float_to_int(void) { volatile float x = 3e9f; return (int)x; }
long nan_to_int(void) { volatile float x = NAN; return (int)x; }
long negative_to_byte(void) { volatile float x = -2; return (unsigned char)x; }
long double_to_unsigned(void) { volatile double x = -1; return (long)(uint64_t)x; }

long shift_by_width(void) { volatile int n = 32; return (long)(uint32_t)(1u << n); }
long shift_long_by_width(void) { volatile int n = 65; return (long)(1ul << n); }
long arithmetic_shift(void) { volatile int x = -9; return x >> 1; }

typedef int four __attribute__((vector_size(16)));

/* Aligned by type: x86 uses MOVDQA, which traps on an address that is not. */
long aligned_load(void) {
    static char bytes[64] __attribute__((aligned(16)));
    four *volatile p = (four *)(bytes + 4);
    four v = *p + 1;
    *p = v;
    return v[0];
}

long unaligned_integer(void) {
    static char bytes[16] __attribute__((aligned(16))) = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    uint64_t *volatile p = (uint64_t *)(bytes + 1);
    return (long)(*p & 0xffff);
}

/* Crosses a 16-byte granule: no core without LSE2 does this atomically. */
long unaligned_atomic(void) {
    static char bytes[32] __attribute__((aligned(16)));
    long *volatile p = (long *)(bytes + 13);
    return __atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST);
}

long shuffled(void) {
    volatile int seed = 1;
    four v = {seed, 2, 3, 4}, order = {3, 0, 7, 1};
    four w = __builtin_shuffle(v, order);
    return w[0] * 1000 + w[1] * 100 + w[2] * 10 + w[3];
}

double smaller_with_nan(void) {
    volatile double a = NAN, b = 1;
    return (a < b ? a : b) + fmin(a, b) + fmax(a, b);
}

double rounded_sum(void) {
    volatile double x = 0.1;
    double sum = 0;
    for (int i = 0; i < 1000; i++) sum += x;
    return sum;
}

long end_of_file_in_char(void) { volatile char c = (char)-1; return c == -1; }
long plain_bit_field(void) { volatile struct { int x : 3; } s = {7}; return s.x; }
long char_bit_field(void) { volatile struct { char x : 3; } s = {7}; return s.x; }
enum colour { RED, GREEN };
long size_of_enum(void) { return sizeof(enum colour); }
long enum_is_negative(void) { volatile enum colour c = (enum colour)-1; return (int)c < 0; }
long compared_texts(void) {
    volatile char high = (char)0x80;
    char a[2] = {high, 0}, b[2] = {1, 0};
    return (strcmp(a, b) > 0) * 10 + (memcmp(a, b, 1) > 0);
}

long float_to_short(void) { volatile float x = 1e6f; return (short)x; }
long float_to_signed_char(void) { volatile float x = 200; return (signed char)x; }
long double_to_long(void) { volatile double x = 1e30; return (long)x; }
long float_to_unsigned(void) { volatile float x = -1; return (long)(unsigned)x; }
long rounded_to_long(void) { volatile double a = 2.5, b = -3.5; return lrint(a) * 100 + lrint(b); }
double rounded_to_int(void) { volatile double a = 0.5, b = 1.5; return nearbyint(a) * 10 + rint(b); }

double smaller_zero(void) { volatile double a = 0.0, b = -0.0; return copysign(1, fmin(a, b)) + 2 * copysign(1, fmin(b, a)); }
double root_of_negative(void) { volatile double x = -1; return copysign(1, sqrt(x)); }
long payload_of_nan(void) {
    volatile union { uint64_t bits; double value; } a = {0x7ff8000000000012}, sum;
    volatile double one = 1;
    sum.value = a.value + one;
    return (long)(sum.bits & 0xffff);
}
double subnormal_sum(void) { volatile double x = 3e-310; return (x + x) * 1e300; }

long leading_zeros(void) { volatile unsigned x = 0; return __builtin_clz(x); }
long counted_bits(void) { volatile uint64_t x = 0xf0f0f0f0f0f01234; return __builtin_popcountll(x); }
long rotated(void) { volatile uint32_t x = 0x80000001; return (long)(x << 4 | x >> 28); }
long quotient_of_minimum(void) { volatile int a = INT32_MIN, b = -1; return a / b; }

double dot_product(void) {
    volatile double tenth = 0.1;
    double sum = 0;
    for (int i = 1; i < 100; i++) sum += (tenth * i) * (1 - tenth * i);
    return sum;
}
double polynomial(void) {
    volatile double x = 1.1;
    double y = 0;
    for (int i = 0; i < 12; i++) y = y * x + (i % 2 ? 0.3 : -0.7);
    return y;
}
struct mixed { char c; double d; short s; long double l; };
long size_of_structures(void) { return sizeof(struct mixed) * 100 + _Alignof(struct mixed); }
long size_of_long_double(void) { return sizeof(long double); }
