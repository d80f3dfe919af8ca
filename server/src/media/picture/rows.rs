//! Pictures that can be read row by row: PNG and GIF. No more than a few rows of them are in memory.

use std::{
    io::{BufRead, Seek},
    num::NonZeroU64,
};

use super::grid::{Grid, rgba};
use crate::{limits, media::strip::Damaged};

/// The rows of an interlaced picture's passes: the first column and row, and the steps from each to the next
/// (PNG, third edition, section 8.2).
const ADAM7: [[u32; 4]; 7] =
    [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
/// The same of the rows of a GIF (GIF89a, appendix E).
const GIF_PASSES: [[u32; 2]; 4] = [[0, 8], [4, 8], [2, 4], [1, 2]];

/// The header of a picture.
pub struct Head {
    /// Of the picture, in pixels.
    pub width: u32,
    /// Of the picture, in pixels.
    pub height: u32,
    /// Bytes of the rows that are in memory at a time.
    pub rows: u64,
}

fn damaged<E>(_: E) -> Damaged {
    Damaged
}

/// The head of a PNG.
pub fn png_head(input: impl BufRead + Seek) -> Result<Head, Damaged> {
    let mut decoder = png::Decoder::new(input);
    let info = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (info.width, info.height);
    let row = info.raw_row_length() as u64;
    // The row, the one before, what is unpacked ahead, and the row as it is given, of 4 bytes for each pixel.
    Ok(Head { width, height, rows: 4 * row + 8 * u64::from(width) })
}

/// Reads a PNG, of one that moves the picture for those who do not show that.
pub fn png(input: impl BufRead + Seek, rows: u64) -> Result<Grid, Damaged> {
    let bytes = usize::try_from(rows + limits::PICTURE_FIXED_BYTES).unwrap_or(usize::MAX);
    let mut decoder = png::Decoder::new_with_limits(input, png::Limits { bytes });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height, interlaced) = (reader.info().width, reader.info().height, reader.info().interlaced);
    let channels = reader.output_color_type().0.samples();
    let mut grid = Grid::of(width, height);
    let passes: &[[u32; 4]] = if interlaced { &ADAM7 } else { &[[0, 0, 1, 1]] };
    for &[from, first, step, down] in passes.iter().filter(|pass| pass[0] < width) {
        for y in (first..height).step_by(down as usize) {
            let row = reader.next_interlaced_row().map_err(damaged)?.ok_or(Damaged)?;
            grid.add(y, from, step, row.data().chunks_exact(channels).map(rgba));
        }
    }
    Ok(grid)
}

/// The options with which GIFs are decoded: what is no picture in them is bounded too.
fn gif_options() -> gif::DecodeOptions {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    let bytes = NonZeroU64::new(limits::PICTURE_FIXED_BYTES);
    options.set_memory_limit(bytes.map_or(gif::MemoryLimit::Unlimited, gif::MemoryLimit::Bytes));
    options
}

/// The head of a GIF.
pub fn gif_head(input: impl BufRead) -> Result<Head, Damaged> {
    let decoder = gif_options().read_info(input).map_err(damaged)?;
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    Ok(Head { width, height, rows: 4 * u64::from(u16::MAX) })
}

/// Reads the first picture of a GIF.
pub fn gif(input: impl BufRead) -> Result<Grid, Damaged> {
    let mut decoder = gif_options().read_info(input).map_err(damaged)?;
    let mut grid = Grid::of(decoder.width().into(), decoder.height().into());
    let frame = decoder.next_frame_info().map_err(damaged)?.ok_or(Damaged)?;
    let (left, top, interlaced, transparent) = (frame.left, frame.top, frame.interlaced, frame.transparent);
    let (width, height) = (frame.width, u32::from(frame.height));
    let palette = decoder.palette().map_err(damaged)?.to_vec();
    let colour = |index: &u8| match palette.get(usize::from(*index) * 3..usize::from(*index) * 3 + 3) {
        Some(&[red, green, blue]) if transparent != Some(*index) => [red, green, blue, 255],
        _ => [0; 4],
    };
    let mut row = vec![0; usize::from(width)];
    let passes: &[[u32; 2]] = if interlaced { &GIF_PASSES } else { &[[0, 1]] };
    for &[first, down] in passes {
        for y in (first..height).step_by(down as usize) {
            if !decoder.fill_buffer(&mut row).map_err(damaged)? {
                return Err(Damaged);
            }
            grid.add(u32::from(top) + y, left.into(), 1, row.iter().map(colour));
        }
    }
    Ok(grid)
}
