use bytes::Bytes;
use ocm_oci::Platform;

/// How an ELF file of 64 bits begins.
///
/// Source: <https://man7.org/linux/man-pages/man5/elf.5.html>.
const ELF: &[u8] = b"\x7fELF\x02";
/// A part of a program that names who loads it: libraries come from elsewhere then.
const INTERPRETER: u32 = 3;
/// Machines, as programs and as images call them.
const MACHINES: [(u16, &str); 4] = [(62, "amd64"), (183, "arm64"), (21, "ppc64le"), (22, "s390x")];

/// A program that runs in an image which has nothing else: one that is linked statically.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copier {
    program: Bytes,
    platform: Platform,
}

/// Why a program does not run by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CopierError {
    /// It is something else.
    #[error("it is no program for Linux")]
    NotAProgram,
    /// It is for a machine that no cluster has.
    #[error("it is for machine {0}, on which nothing of OpenShift runs")]
    Machine(u16),
    /// It needs libraries.
    #[error("it is not linked statically: it would not find its libraries")]
    Dynamic,
}

impl Copier {
    /// Takes a program, as it is in its file.
    ///
    /// # Errors
    ///
    /// [`CopierError`], where it does not run by itself.
    pub fn new(program: Bytes) -> Result<Self, CopierError> {
        let header = Header::of(&program).ok_or(CopierError::NotAProgram)?;
        let machine = header.machine().ok_or(CopierError::NotAProgram)?;
        if header.has_interpreter().ok_or(CopierError::NotAProgram)? {
            return Err(CopierError::Dynamic);
        }
        let known = MACHINES.iter().find(|(number, _)| *number == machine);
        let (_, name) = known.ok_or(CopierError::Machine(machine))?;
        Ok(Self { program, platform: Platform::new("linux", *name) })
    }

    /// Returns the file.
    pub fn program(&self) -> &Bytes {
        &self.program
    }

    /// Returns what it runs on.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }
}

/// What a program says of itself; everything is looked for within its bytes.
struct Header<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

impl<'a> Header<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let order = *bytes.strip_prefix(ELF)?.first()?;
        Some(Self { bytes, is_big_endian: order == 2 })
    }

    fn machine(&self) -> Option<u16> {
        self.number(18, 2)?.try_into().ok()
    }

    /// Whether a part of it is the name of a loader.
    fn has_interpreter(&self) -> Option<bool> {
        let (first, size, count) = (self.number(32, 8)?, self.number(54, 2)?, self.number(56, 2)?);
        for nth in 0..count {
            let at = first.checked_add(size.checked_mul(nth)?)?;
            if self.number(at, 4)? == u64::from(INTERPRETER) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Reads a number of `length` bytes.
    fn number(&self, at: u64, length: usize) -> Option<u64> {
        let bytes = self.bytes.get(usize::try_from(at).ok()?..)?.get(..length)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.is_big_endian {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header, and parts of these kinds.
    fn program(machine: u16, kinds: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = u8::try_from(kinds.len()).unwrap();
        for kind in kinds {
            bytes.extend(kind.to_le_bytes());
            bytes.extend([0; 52]);
        }
        bytes
    }

    #[test]
    fn programs_that_run_by_themselves_are_taken() {
        let platform = |bytes: Vec<u8>| {
            Copier::new(bytes.into()).map(|copier| copier.platform().architecture.clone())
        };
        assert_eq!(platform(program(62, &[1, 2, 1])).as_deref(), Ok("amd64"));
        assert_eq!(platform(program(183, &[1])).as_deref(), Ok("arm64"));
        assert_eq!(platform(program(62, &[1, 3, 2])), Err(CopierError::Dynamic));
        assert_eq!(platform(program(8, &[1])), Err(CopierError::Machine(8)));
        let mut big = program(0, &[]);
        big[5] = 2;
        big[18..20].copy_from_slice(&22_u16.to_be_bytes());
        assert_eq!(platform(big).as_deref(), Ok("s390x"));
    }

    #[test]
    fn whatever_is_cut_off_is_no_program() {
        let whole = program(62, &[1, 2, 3]);
        for length in 0..whole.len() {
            let cut = Copier::new(whole[..length].to_vec().into());
            let is_seen = length >= 64 + 2 * 56 + 4;
            let expected = if is_seen { CopierError::Dynamic } else { CopierError::NotAProgram };
            assert_eq!(cut, Err(expected), "{length}");
        }
        assert_eq!(Copier::new("#!/bin/sh".into()), Err(CopierError::NotAProgram));
    }
}
