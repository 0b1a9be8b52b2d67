//! Calls whose distances were made addresses, as that packs better (`TransformCallInstructions`, version 3).

/// Programs are translated in pieces of so many bytes; no call reaches over the end of one.
pub(super) const PIECE_BYTES: usize = 64 * 1024;
const CALL: u8 = 0xe8;
const JUMP: u8 = 0xe9;

/// Makes distances of the addresses in a piece that begins at an offset of its file.
pub(super) fn undo(piece: &mut [u8], offset: u64) {
    let mut at = 0;
    while let Some([instruction, rest @ ..]) = piece.get_mut(at..) {
        let is_one = matches!(*instruction, CALL | JUMP);
        let Some(target) = rest.first_chunk_mut::<4>() else {
            return;
        };
        if !is_one {
            at += 1;
            continue;
        }
        let [low, middle, high, sign] = *target;
        // Anything else is no call, or one of a distance that programs do not have.
        if matches!(sign, 0 | 0xff) {
            let address = u32::from_le_bytes([low, middle, high, 0]);
            // Addresses are counted modulo 2^24.
            let next = (offset + at as u64 + 5) & 0xff_ffff;
            let distance = address.wrapping_sub(u32::try_from(next).unwrap_or(0));
            let [low, middle, high, _] = distance.to_le_bytes();
            let sign = if high & 0x80 == 0 { sign } else { !sign };
            *target = [low, middle, high, sign];
        }
        at += 5;
    }
}
