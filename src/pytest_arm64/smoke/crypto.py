"""Checks of packages for ciphers, hashes and compression."""

from __future__ import annotations

from typing import Any

from .case import smoke

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""SHA-256 of ``abc`` (FIPS 180-4)."""
NINE, CRC32, CRC32C = b"123456789", 0xCBF43926, 0xE3069283
TEXT = b"all work and no play makes jack a dull boy. " * 200


@smoke("cryptography", "cryptography.hazmat.primitives.ciphers.aead",
       "cryptography.hazmat.primitives.hashes",
       "cryptography.hazmat.primitives.asymmetric.ed25519")  # fmt: skip
def cryptography(aead: Any, hashes: Any, ed25519: Any) -> None:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"abc")
    assert digest.finalize().hex() == ABC
    # The first case of NIST's test vectors for AES-GCM: no text, a key and a nonce of zeros.
    sealed = aead.AESGCM(bytes(16)).encrypt(bytes(12), b"", None)
    assert sealed.hex() == "58e2fccefa7e3061367f1d57a4e7455a"
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    key.public_key().verify(key.sign(b"abc"), b"abc")


@smoke("cffi", "cffi")
def cffi(cffi: Any) -> None:
    ffi = cffi.FFI()
    ffi.cdef("int abs(int);")
    assert list(ffi.new("int[3]", [1, 2, 3])) == [1, 2, 3]
    assert ffi.dlopen(None).abs(-7) == 7


@smoke("pynacl", "nacl.bindings", "nacl.secret")
def pynacl(bindings: Any, secret: Any) -> None:
    assert bindings.crypto_hash_sha256(b"abc").hex() == ABC
    box = secret.SecretBox(bytes(32))
    assert box.decrypt(box.encrypt(b"abc")) == b"abc"


@smoke("bcrypt", "bcrypt")
def bcrypt(bcrypt: Any) -> None:
    # From the test vectors of crypt_blowfish.
    wanted = b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
    assert bcrypt.hashpw(b"U*U", wanted[:29]) == wanted


@smoke("argon2-cffi-bindings", "_argon2_cffi_bindings")
def argon2(argon2: Any) -> None:
    out = argon2.ffi.new("uint8_t[32]")
    null, argon2i, version = argon2.ffi.NULL, 1, 0x13
    # From the tests of the reference implementation.
    error = argon2.lib.argon2_hash(
        2, 1 << 16, 1, b"password", 8, b"somesalt", 8, out, 32, null, 0, argon2i, version
    )
    assert error == 0
    wanted = "c1628832147d9720c5bd1cfd61367078729f6dfb6f8fea9ff98158e0d7816ed0"
    assert bytes(out).hex() == wanted


def _pycryptodome(aes: Any, sha256: Any) -> None:
    assert sha256.new(b"abc").hexdigest() == ABC
    cipher = aes.new(bytes(range(16)), aes.MODE_ECB)
    # FIPS 197, appendix C.1.
    sealed = cipher.encrypt(bytes.fromhex("00112233445566778899aabbccddeeff"))
    assert sealed.hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


smoke("pycryptodome", "Crypto.Cipher.AES", "Crypto.Hash.SHA256")(_pycryptodome)
smoke("pycryptodomex", "Cryptodome.Cipher.AES", "Cryptodome.Hash.SHA256")(_pycryptodome)


@smoke("coincurve", "coincurve")
def coincurve(coincurve: Any) -> None:
    # The generator of secp256k1 (SEC 2).
    wanted = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    assert coincurve.PrivateKey.from_int(1).public_key.format().hex() == wanted


@smoke("blake3", "blake3")
def blake3(blake3: Any) -> None:
    wanted = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
    assert blake3.blake3(b"abc").hexdigest() == wanted


@smoke("xxhash", "xxhash")
def xxhash(xxhash: Any) -> None:
    assert xxhash.xxh32(b"").hexdigest() == "02cc5d05"
    assert xxhash.xxh64(b"").hexdigest() == "ef46db3751d8e999"
    assert xxhash.xxh3_64(b"").hexdigest() == "2d06800538d394c2"


@smoke("mmh3", "mmh3")
def mmh3(mmh3: Any) -> None:
    assert mmh3.hash("foo") == -156908512


@smoke("murmurhash", "murmurhash.mrmr")
def murmurhash(mrmr: Any) -> None:
    assert mrmr.hash("foo") == -156908512


@smoke("crc32c", "crc32c")
def crc32c(crc32c: Any) -> None:
    assert crc32c.crc32c(NINE) == CRC32C


@smoke("google-crc32c", "google_crc32c")
def google_crc32c(crc: Any) -> None:
    assert (crc.implementation, crc.value(NINE)) == ("c", CRC32C)


@smoke("awscrt", "awscrt.checksums")
def awscrt(checksums: Any) -> None:
    assert (checksums.crc32(NINE), checksums.crc32c(NINE)) == (CRC32, CRC32C)


@smoke("zstandard", "zstandard")
def zstandard(zstd: Any) -> None:
    packed = zstd.ZstdCompressor(level=3).compress(TEXT)
    assert packed[:4] == b"\x28\xb5\x2f\xfd"
    assert len(packed) < 200
    assert zstd.ZstdDecompressor().decompress(packed) == TEXT


@smoke("lz4", "lz4.frame", "lz4.block")
def lz4(frame: Any, block: Any) -> None:
    packed = frame.compress(TEXT)
    assert packed[:4] == b"\x04\x22\x4d\x18"
    assert frame.decompress(packed) == TEXT == block.decompress(block.compress(TEXT))


@smoke("brotli", "brotli")
def brotli(brotli: Any) -> None:
    packed = brotli.compress(TEXT)
    assert len(packed) < 200
    assert brotli.decompress(packed) == TEXT


@smoke("cramjam", "cramjam")
def cramjam(cramjam: Any) -> None:
    for codec in (cramjam.snappy, cramjam.gzip, cramjam.zstd, cramjam.lz4):
        packed = codec.compress(TEXT)
        assert len(packed) < len(TEXT) / 5
        assert bytes(codec.decompress(packed)) == TEXT


@smoke("isal", "isal.isal_zlib")
def isal(isal: Any) -> None:
    assert isal.crc32(NINE) == CRC32
    assert isal.decompress(isal.compress(TEXT)) == TEXT


@smoke("zlib-ng", "zlib_ng.zlib_ng")
def zlib_ng(zlib: Any) -> None:
    assert zlib.crc32(NINE) == CRC32
    assert zlib.decompress(zlib.compress(TEXT)) == TEXT
