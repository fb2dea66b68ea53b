//! EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §9.2).

/// The DER of a DigestInfo for SHA-256 up to the hash (RFC 8017 §9.2, note 1).
pub const SHA256_DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Fills a block as long as the modulus: `00 01 FF .. FF 00 DigestInfo hash`. A block
/// that is too short for that stays empty, and nothing signs it.
pub(super) fn padded(hash: &[u8; 32], length: usize) -> Vec<u8> {
    // Eight bytes of FF at least.
    const REST: usize = 3 + SHA256_DIGEST_INFO.len() + 32;
    let Some(filling) = length.checked_sub(REST).filter(|filling| *filling >= 8) else {
        return Vec::new();
    };
    let mut block = Vec::with_capacity(length);
    block.extend_from_slice(&[0, 1]);
    block.resize(2 + filling, 0xff);
    block.push(0);
    block.extend_from_slice(&SHA256_DIGEST_INFO);
    block.extend_from_slice(hash);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_as_long_as_the_modulus_9_2() {
        let block = padded(&[0xab; 32], 256);
        assert_eq!(block.len(), 256);
        assert_eq!(block[..3], [0, 1, 0xff]);
        assert!(block[2..204].iter().all(|byte| *byte == 0xff));
        assert_eq!(block[204], 0);
        assert_eq!(block[205..224], SHA256_DIGEST_INFO);
        assert_eq!(block[224..], [0xab; 32]);
        assert!(padded(&[0; 32], 61).is_empty());
    }
}
