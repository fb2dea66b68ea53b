//! The one file that calls foreign code: Intel's crypto_mb library, found at run time,
//! and the system calls that keep key material out of swap.
//!
//! Every function here is safe to call: it checks lengths itself, and what it returns
//! is owned. It decides nothing about when to use the library.
#![expect(
    unsafe_code,
    reason = "a C library is called and memory is locked; no other file may"
)]

use std::ffi::c_int;
use std::fmt;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::ptr;

use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};
use zeroize::Zeroize;

use super::{LANES, RsaSize, Unavailable};

/// `const int8u* const [8]`, `int8u* const [8]`, `const int64u* const [8]` of crypto_mb's `rsa.h`.
type Inputs = *const *const u8;
type Outputs = *const *mut u8;
type Numbers = *const *const u64;

/// `mbx_rsa_private_crt_mb8`: from, to, p, q, dp, dq, iq, bits, method, scratch.
type PrivateCrt = unsafe extern "C" fn(
    Inputs,
    Outputs,
    Numbers,
    Numbers,
    Numbers,
    Numbers,
    Numbers,
    c_int,
    *const Method,
    *mut u8,
) -> u32;
/// `mbx_rsa_public_mb8` with the exponent 65537: from, to, n, bits, method, scratch.
type Public = unsafe extern "C" fn(Inputs, Outputs, Numbers, c_int, *const Method, *mut u8) -> u32;
type MethodOf = unsafe extern "C" fn(c_int) -> *const Method;
type BufferSize = unsafe extern "C" fn(*const Method) -> c_int;
type GetVersion = unsafe extern "C" fn() -> *const Version;
type CpuFeatures = unsafe extern "C" fn() -> u64;
type Applicable = unsafe extern "C" fn(u64) -> c_int;

/// `mbx_RSA_Method`, which only the library looks into.
#[repr(C)]
struct Method {
    _opaque: [u8; 0],
}

/// `mbxVersion` as far as it is the same in every version.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) major: c_int,
    pub(super) minor: c_int,
    pub(super) patch: c_int,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Versions whose header was read and whose functions are tested here.
const KNOWN_MAJOR: c_int = 2;

/// BMI2, AVX-512 F, DQ, BW, IFMA, VBMI2, and that the system saves their registers: what
/// crypto_mb's `cpu_features.h` calls MBX_AVX512_GENERAL_ISA. With less the library
/// may still run, and slower than AWS-LC does.
const AVX512_IFMA: u64 =
    (1 << 39) | (1 << 20) | (1 << 25) | (1 << 24) | (1 << 32) | (1 << 38) | (1 << 33);

/// The library, loaded and found fit.
pub(super) struct Library {
    /// Never unloaded: OpenSSL, on which the library depends, leaves handlers behind
    /// that would point to nothing.
    _handle: ManuallyDrop<Handle>,
    private_crt: PrivateCrt,
    public: Public,
    /// Bytes of scratch memory that either function needs for the longest keys.
    scratch: usize,
    version: Version,
}

impl Library {
    /// Loads the library from a path, or by a name that the system's loader resolves.
    pub(super) fn open(library: &Path) -> Result<Self, Unavailable> {
        // SAFETY: loading runs the library's initializers and those of libraries it
        // depends on. The operator chose the path, or it is on the system's own
        // library path, where whoever can write can do anything anyway.
        let handle =
            unsafe { Handle::open(Some(library), RTLD_NOW | RTLD_LOCAL) }.map_err(|error| {
                Unavailable::NotLoaded {
                    library: library.into(),
                    reason: reason(&error, library),
                }
            })?;
        let handle = ManuallyDrop::new(handle);
        macro_rules! symbol {
            ($name:literal as $type:ty) => {
                // SAFETY: the type is the function's declaration in crypto_mb's headers.
                // The copied pointer stays valid because the library is never unloaded.
                *unsafe { handle.get::<$type>($name) }.map_err(|_| Unavailable::Foreign {
                    library: library.into(),
                })?
            };
        }
        let get_version = symbol!(b"mbx_getversion\0" as GetVersion);
        // SAFETY: takes nothing and returns a pointer to a constant of the library.
        let version = unsafe { get_version().as_ref() }.copied();
        let version = version.ok_or_else(|| Unavailable::Foreign {
            library: library.into(),
        })?;
        if version.major != KNOWN_MAJOR {
            return Err(Unavailable::UnknownVersion {
                library: library.into(),
                version: version.to_string(),
            });
        }
        let cpu_features = symbol!(b"mbx_get_cpu_features\0" as CpuFeatures);
        let applicable = symbol!(b"mbx_is_crypto_mb_applicable\0" as Applicable);
        // SAFETY: takes nothing, asks the processor.
        let features = unsafe { cpu_features() };
        // SAFETY: takes a bit mask.
        let applicable = unsafe { applicable(features) } != 0;
        if !applicable || features & AVX512_IFMA != AVX512_IFMA {
            return Err(Unavailable::Processor);
        }
        let private_method = symbol!(b"mbx_RSA_private_crt_Method\0" as MethodOf);
        let public_method = symbol!(b"mbx_RSA_pub65537_Method\0" as MethodOf);
        let buffer_size = symbol!(b"mbx_RSA_Method_BufSize\0" as BufferSize);
        let mut scratch = 0;
        for size in RsaSize::ALL {
            for method in [private_method, public_method] {
                // SAFETY: a function of a number; null for a size it does not know.
                let method = unsafe { method(size.bits_c()) };
                let bytes = match method.is_null() {
                    true => 0,
                    // SAFETY: reads a field of the library's own constant.
                    false => unsafe { buffer_size(method) },
                };
                match usize::try_from(bytes) {
                    Ok(bytes) if bytes > 0 => scratch = scratch.max(bytes),
                    _ => {
                        return Err(Unavailable::Foreign {
                            library: library.into(),
                        });
                    }
                }
            }
        }
        Ok(Self {
            private_crt: symbol!(b"mbx_rsa_private_crt_mb8\0" as PrivateCrt),
            public: symbol!(b"mbx_rsa_public_mb8\0" as Public),
            _handle: handle,
            scratch,
            version,
        })
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Memory for the library to work in.
    pub(super) fn scratch(&self) -> SecretPages {
        SecretPages::new(self.scratch)
    }

    /// The private-key operation on up to eight blocks at once. Lane by lane, whether
    /// the library says it was done; unused lanes are false.
    pub(super) fn private(
        &self,
        size: RsaSize,
        lanes: &[(&PrivateNumbers<'_>, &[u8])],
        out: &mut [Vec<u8>],
        scratch: &mut SecretPages,
    ) -> [bool; LANES] {
        let (bytes, words) = (size.bytes(), size.bytes() / 16);
        let fits = |numbers: &PrivateNumbers<'_>| {
            let PrivateNumbers { p, q, dp, dq, qinv } = *numbers;
            [p, q, dp, dq, qinv].iter().all(|n| n.len() == words)
        };
        let mut from = [ptr::null(); LANES];
        let mut to = [ptr::null_mut(); LANES];
        let [mut p, mut q, mut dp, mut dq, mut qinv] = [[ptr::null(); LANES]; 5];
        let numbers = p
            .iter_mut()
            .zip(&mut q)
            .zip(&mut dp)
            .zip(&mut dq)
            .zip(&mut qinv);
        let pointers = from.iter_mut().zip(&mut to).zip(numbers);
        for (((key, block), out), ((from, to), ((((p, q), dp), dq), qinv))) in
            lanes.iter().zip(out).zip(pointers)
        {
            if block.len() == bytes && out.len() == bytes && fits(key) {
                (*from, *to) = (block.as_ptr(), out.as_mut_ptr());
                (*p, *q) = (key.p.as_ptr(), key.q.as_ptr());
                (*dp, *dq, *qinv) = (key.dp.as_ptr(), key.dq.as_ptr(), key.qinv.as_ptr());
            }
        }
        if scratch.bytes() < self.scratch {
            return [false; LANES];
        }
        // SAFETY: each used lane's pointers are to memory of the length that the
        // library takes from `bits` (checked above), alive and, for `out`, borrowed
        // mutably for the call; a lane with a null pointer is left out, and reported.
        // A null method stands for the library's own for this size. The scratch
        // memory is as large as the library asked for.
        let status = unsafe {
            (self.private_crt)(
                from.as_ptr(),
                to.as_ptr(),
                p.as_ptr(),
                q.as_ptr(),
                dp.as_ptr(),
                dq.as_ptr(),
                qinv.as_ptr(),
                size.bits_c(),
                ptr::null(),
                scratch.as_mut_ptr(),
            )
        };
        scratch.erase();
        done(status)
    }

    /// The public-key operation, exponent 65537, on up to eight blocks at once; `n` is
    /// least significant word first. As [`Library::private`] otherwise.
    pub(super) fn public(
        &self,
        size: RsaSize,
        lanes: &[(&[u64], &[u8])],
        out: &mut [Vec<u8>],
        scratch: &mut SecretPages,
    ) -> [bool; LANES] {
        let (bytes, words) = (size.bytes(), size.bytes() / 8);
        let mut from = [ptr::null(); LANES];
        let mut to = [ptr::null_mut(); LANES];
        let mut n = [ptr::null(); LANES];
        let pointers = from.iter_mut().zip(&mut to).zip(&mut n);
        for (((modulus, block), out), ((from, to), n)) in lanes.iter().zip(out).zip(pointers) {
            if block.len() == bytes && out.len() == bytes && modulus.len() == words {
                (*from, *to) = (block.as_ptr(), out.as_mut_ptr());
                *n = modulus.as_ptr();
            }
        }
        if scratch.bytes() < self.scratch {
            return [false; LANES];
        }
        // SAFETY: as in `private`.
        let status = unsafe {
            (self.public)(
                from.as_ptr(),
                to.as_ptr(),
                n.as_ptr(),
                size.bits_c(),
                ptr::null(),
                scratch.as_mut_ptr(),
            )
        };
        done(status)
    }
}

/// Four bits a lane, zero for success (`MBX_GET_STS` of crypto_mb's `status.h`).
fn done(status: u32) -> [bool; LANES] {
    std::array::from_fn(|lane| (status >> (lane * 4)) & 0xf == 0)
}

/// The loader's words, without the name that they begin with.
fn reason(error: &libloading::Error, library: &Path) -> String {
    let words = match std::error::Error::source(error) {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    };
    let name = format!("{}: ", library.display());
    words.strip_prefix(&name).unwrap_or(&words).to_owned()
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Library({})", self.version)
    }
}

/// The parts of a private key, least significant word first, each half as long as the
/// modulus.
#[derive(Clone, Copy)]
pub(super) struct PrivateNumbers<'k> {
    pub(super) p: &'k [u64],
    pub(super) q: &'k [u64],
    pub(super) dp: &'k [u64],
    pub(super) dq: &'k [u64],
    pub(super) qinv: &'k [u64],
}

const PAGE_WORDS: usize = 512;

#[repr(C, align(4096))]
struct Page([u64; PAGE_WORDS]);

/// Zeroed memory of whole pages, so that no neighbour's unlocking unlocks it; kept out
/// of swap where the system's limit allows, and erased when it is dropped.
pub(super) struct SecretPages {
    pages: Box<[Page]>,
    locked: bool,
}

impl SecretPages {
    pub(super) fn new(bytes: usize) -> Self {
        let count = bytes.div_ceil(size_of::<Page>()).max(1);
        let mut pages: Box<[Page]> = (0..count).map(|_| Page([0; PAGE_WORDS])).collect();
        // SAFETY: the range is this allocation. The kernel changes nothing in it.
        let result = unsafe { rustix::mm::mlock(pages.as_mut_ptr().cast(), size_of_val(&*pages)) };
        Self {
            pages,
            locked: result.is_ok(),
        }
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.pages)
    }

    fn as_mut_ptr(&mut self) -> *mut u8 {
        self.pages.as_mut_ptr().cast()
    }

    /// The words of the first page.
    pub(super) fn words(&self) -> &[u64] {
        self.pages.first().map_or(&[], |page| &page.0)
    }

    pub(super) fn words_mut(&mut self) -> &mut [u64] {
        self.pages.first_mut().map_or(&mut [], |page| &mut page.0)
    }

    fn erase(&mut self) {
        for page in &mut self.pages {
            page.0.zeroize();
        }
    }
}

impl Drop for SecretPages {
    fn drop(&mut self) {
        self.erase();
        if self.locked {
            // SAFETY: the range is this allocation, locked by `new`; nothing else lies
            // in its pages. A failure leaves them locked, which harms nobody.
            let _ = unsafe { rustix::mm::munlock(self.as_mut_ptr().cast(), self.bytes()) };
        }
    }
}

impl fmt::Debug for SecretPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretPages")
    }
}
