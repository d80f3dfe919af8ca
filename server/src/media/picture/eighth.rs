//! A large JPEG at an eighth of its size: of each block of 8 × 8 pixels only the mean, which stands first in its data.
//!
//! A decoder of whole pictures keeps what a progressive JPEG says of every block until its last scan; this one needs a byte
//! for each block and colour. It reads baseline, extended and progressive JPEGs of 8 bits with Huffman codes in grey, YCbCr
//! or RGB; all others are [`Damaged`] here (ISO/IEC 10918-1, annexes B, F and G).

use std::io::BufRead;

use image::metadata::Orientation;

use super::grid::Grid;
use crate::media::strip::Damaged;

/// Sides of a block, in pixels.
const BLOCK: u32 = 8;

/// The header of a JPEG, up to its data.
pub struct Frame {
    /// Of the picture, in pixels.
    pub width: u32,
    /// Of the picture, in pixels.
    pub height: u32,
    /// The orientation in which it is to be shown, where it says one.
    pub orientation: Orientation,
    /// True where this module can decode it.
    pub is_readable: bool,
    progressive: bool,
    components: Vec<Component>,
}

#[derive(Clone, Copy)]
struct Component {
    id: u8,
    /// The number of its blocks beside one another in a unit, and above one another.
    across: u32,
    down: u32,
    quantization: usize,
}

impl Frame {
    /// Samples of all components, for a decoder that keeps the whole picture.
    pub fn samples(&self) -> u64 {
        let [across, down] = self.units();
        let blocks = |part: &Component| u64::from(across * part.across) * u64::from(down * part.down);
        self.components.iter().map(blocks).sum::<u64>() * u64::from(BLOCK * BLOCK)
    }

    /// Bytes that reading it here takes: one for each block of each component, and the small picture.
    pub fn bytes(&self) -> u64 {
        self.samples() / u64::from(BLOCK * BLOCK) + Grid::bytes(self.width.div_ceil(BLOCK), self.height.div_ceil(BLOCK))
    }

    fn most(&self) -> [u32; 2] {
        let most = |side: fn(&Component) -> u32| self.components.iter().map(side).max().unwrap_or(1);
        [most(|part| part.across), most(|part| part.down)]
    }

    /// Units of the picture beside one another and above.
    fn units(&self) -> [u32; 2] {
        let [across, down] = self.most();
        [self.width.div_ceil(BLOCK * across), self.height.div_ceil(BLOCK * down)]
    }

    /// Reads the content of a frame header.
    fn parse(marker: u8, content: &[u8]) -> Option<Self> {
        let (head, parts) = content.split_at_checked(6)?;
        let &[precision, h1, h2, w1, w2, count] = head else { return None };
        let (width, height) = (u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2]));
        let component = |part: &[u8]| Component {
            id: part[0],
            across: u32::from(part[1] >> 4),
            down: u32::from(part[1] & 15),
            quantization: usize::from(part[2] & 3),
        };
        let components: Vec<_> = parts.chunks_exact(3).take(count.into()).map(component).collect();
        let all = components.len() == usize::from(count) && width > 0 && height > 0;
        let fit = components.iter().all(|part| (1..=4).contains(&part.across) && (1..=4).contains(&part.down));
        let is_readable = precision == 8 && matches!(marker, 0xc0..=0xc2) && matches!(count, 1 | 3);
        (all && fit).then(|| Self {
            width: width.into(),
            height: height.into(),
            orientation: Orientation::NoTransforms,
            is_readable,
            progressive: marker == 0xc2,
            components,
        })
    }
}

const fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

/// Reads the frame header of a JPEG, and nothing behind it.
pub fn frame(mut input: impl BufRead) -> Result<Frame, Damaged> {
    let mut read = |count: usize| {
        let mut bytes = vec![0; count];
        input.read_exact(&mut bytes).map_err(|_| Damaged).map(|()| bytes)
    };
    if read(2)? != [0xff, 0xd8] {
        return Err(Damaged);
    }
    let mut orientation = Orientation::NoTransforms;
    loop {
        let mut marker = read(1)?[0];
        if marker != 0xff {
            return Err(Damaged);
        }
        while marker == 0xff {
            marker = read(1)?[0];
        }
        if matches!(marker, 0 | 1 | 0xd0..=0xda) {
            return Err(Damaged);
        }
        let length = read(2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]])).checked_sub(2).ok_or(Damaged)?;
        let content = read(length)?;
        if is_frame(marker) {
            return Frame::parse(marker, &content).map(|frame| Frame { orientation, ..frame }).ok_or(Damaged);
        }
        if let Some(turn) = content.strip_prefix(b"Exif\0\0").and_then(Orientation::from_exif_chunk) {
            orientation = turn;
        }
    }
}

/// Reads the whole picture.
pub fn read(bytes: &[u8]) -> Result<Grid, Damaged> {
    let mut reader = Reader::default();
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8]).ok_or(Damaged)?;
    while !reader.has_all() {
        let marker;
        (marker, rest) = next_marker(rest).ok_or(Damaged)?;
        if matches!(marker, 1 | 0xd0..=0xd8) {
            continue;
        }
        let (length, behind) = rest.split_at_checked(2).ok_or(Damaged)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]])).checked_sub(2).ok_or(Damaged)?;
        let content;
        (content, rest) = behind.split_at_checked(length).ok_or(Damaged)?;
        match marker {
            0xd9 => return Err(Damaged),
            0xc4 => reader.huffman(content).ok_or(Damaged)?,
            0xdb => reader.quantization(content).ok_or(Damaged)?,
            0xdd => reader.restart = content.first_chunk().map(|count| u16::from_be_bytes(*count)).ok_or(Damaged)?,
            0xe0 => reader.is_jfif |= content.starts_with(b"JFIF\0"),
            0xee if content.starts_with(b"Adobe") => reader.adobe = content.get(11).copied(),
            0xda => rest = reader.scan(content, rest).ok_or(Damaged)?,
            marker if is_frame(marker) => reader.begin(Frame::parse(marker, content)).ok_or(Damaged)?,
            _ => {}
        }
    }
    reader.grid().ok_or(Damaged)
}

/// The next marker, and what is behind it; coded data are passed over.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let at = bytes.windows(2).position(|two| two[0] == 0xff && !matches!(two[1], 0 | 0xff))?;
    Some((bytes[at + 1], &bytes[at + 2..]))
}

/// The bytes read so far.
#[derive(Default)]
struct Reader {
    frame: Option<Frame>,
    /// The first coefficient's step, of each table.
    steps: [i32; 4],
    means: [Option<Codes>; 4],
    others: [Option<Codes>; 4],
    restart: u16,
    is_jfif: bool,
    adobe: Option<u8>,
    /// Of each component the mean of each block, once its scan was read.
    planes: [Option<Vec<u8>>; 3],
}

impl Reader {
    fn has_all(&self) -> bool {
        let count = self.frame.as_ref().map_or(usize::MAX, |frame| frame.components.len());
        self.planes.iter().flatten().count() >= count
    }

    fn begin(&mut self, frame: Option<Frame>) -> Option<()> {
        let frame = frame.filter(|frame| frame.is_readable && self.frame.is_none())?;
        self.frame = Some(frame);
        Some(())
    }

    fn quantization(&mut self, mut content: &[u8]) -> Option<()> {
        while let [about, rest @ ..] = content {
            let wide = about >> 4 != 0;
            let (table, behind) = rest.split_at_checked(if wide { 128 } else { 64 })?;
            let step = if wide { i32::from(table[0]) << 8 | i32::from(table[1]) } else { i32::from(table[0]) };
            *self.steps.get_mut(usize::from(about & 15))? = step;
            content = behind;
        }
        Some(())
    }

    fn huffman(&mut self, mut content: &[u8]) -> Option<()> {
        while let [about, rest @ ..] = content {
            let (counts, behind) = rest.split_first_chunk::<16>()?;
            let count = counts.iter().map(|count| usize::from(*count)).sum();
            let (values, behind) = behind.split_at_checked(count)?;
            let tables = if about >> 4 == 0 { &mut self.means } else { &mut self.others };
            *tables.get_mut(usize::from(about & 15))? = Some(Codes::new(counts, values)?);
            content = behind;
        }
        Some(())
    }

    /// Reads a scan where it has the means of components that are lacking; what is behind it.
    fn scan<'b>(&mut self, content: &[u8], data: &'b [u8]) -> Option<&'b [u8]> {
        let frame = self.frame.as_ref()?;
        let (count, rest) = content.split_first()?;
        let (named, selection) = rest.split_at_checked(usize::from(*count) * 2)?;
        let [first, _, approximation] = *selection.first_chunk()?;
        // The means' last bits, which come later, are too small to be seen.
        if frame.progressive && (first != 0 || approximation >> 4 != 0) {
            return Some(data);
        }
        let mut parts = Vec::new();
        for name in named.chunks_exact(2) {
            let index = frame.components.iter().position(|part| part.id == name[0])?;
            if parts.iter().any(|part: &Part| part.index == index) {
                return None;
            }
            let means = self.means.get(usize::from(name[1] >> 4))?.as_ref()?;
            let others = self.others.get(usize::from(name[1] & 15))?.as_ref();
            let Component { quantization, .. } = frame.components[index];
            parts.push(Part {
                index,
                means,
                others: if frame.progressive { None } else { Some(others?) },
                step: self.steps[quantization] << if frame.progressive { approximation & 15 } else { 0 },
                before: 0,
                plane: Vec::new(),
            });
        }
        if parts.is_empty() || parts.iter().all(|part| self.planes[part.index].is_some()) {
            return Some(data);
        }
        let mut bits = Bits::of(data);
        read_scan(frame, &mut parts, self.restart, &mut bits)?;
        let planes: Vec<_> = parts.into_iter().map(|part| (part.index, part.plane)).collect();
        planes.into_iter().for_each(|(index, plane)| self.planes[index] = Some(plane));
        Some(&data[bits.at..])
    }

    fn grid(self) -> Option<Grid> {
        let frame = self.frame?;
        let ids: Vec<u8> = frame.components.iter().map(|part| part.id).collect();
        let is_rgb = !self.is_jfif && (self.adobe == Some(0) || self.adobe.is_none() && ids == *b"RGB");
        let ([across, down], [units, _]) = (frame.most(), frame.units());
        let (width, height) = (frame.width.div_ceil(BLOCK), frame.height.div_ceil(BLOCK));
        let planes: Vec<(Vec<u8>, Component)> =
            self.planes.into_iter().flatten().zip(frame.components.iter().copied()).collect();
        let mut grid = Grid::of(width, height);
        for y in 0..height {
            let sample = |(plane, part): &(Vec<u8>, Component), x: u32| {
                let at = (y * part.down / down) * units * part.across + x * part.across / across;
                plane[at as usize]
            };
            let pixels = (0..width).map(|x| match &planes[..] {
                [one, other, third] => coloured([one, other, third].map(|plane| sample(plane, x)), is_rgb),
                planes => [sample(&planes[0], x); 3],
            });
            grid.add(y, 0, 1, pixels.map(|[red, green, blue]| [red, green, blue, 255]));
        }
        Some(grid)
    }
}

/// A component in a scan.
struct Part<'t> {
    index: usize,
    means: &'t Codes,
    /// Absent where a scan has the means alone.
    others: Option<&'t Codes>,
    step: i32,
    /// The mean before, from which the next one differs by what is coded.
    before: i32,
    plane: Vec<u8>,
}

impl Part<'_> {
    fn block(&mut self, bits: &mut Bits<'_>) -> Option<u8> {
        let size = self.means.next(bits)?;
        self.before = self.before.wrapping_add(bits.signed(size)?);
        if let Some(others) = self.others {
            let mut at = 1;
            while at < 64 {
                let code = others.next(bits)?;
                let (zeros, size) = (code >> 4, code & 15);
                match size {
                    0 if zeros < 15 => break,
                    0 => at += 16,
                    _ => {
                        bits.signed(size)?;
                        at += 1 + u32::from(zeros);
                    }
                }
            }
        }
        // The first coefficient is eight times the mean.
        Some((self.before.wrapping_mul(self.step) / 8).saturating_add(128).clamp(0, 255) as u8)
    }
}

/// Reads the blocks of a scan: of several components unit by unit, of one block by block (annex A, section 2).
fn read_scan(frame: &Frame, parts: &mut [Part<'_>], restart: u16, bits: &mut Bits<'_>) -> Option<()> {
    let ([across, down], [most_across, most_down]) = (frame.units(), frame.most());
    let alone = parts.len() == 1;
    for part in parts.iter_mut() {
        let Component { across: wide, down: high, .. } = frame.components[part.index];
        part.plane = vec![128; (across * wide) as usize * (down * high) as usize];
    }
    let [columns, rows] = if alone {
        let Component { across: wide, down: high, .. } = frame.components[parts[0].index];
        [(frame.width * wide).div_ceil(most_across * BLOCK), (frame.height * high).div_ceil(most_down * BLOCK)]
    } else {
        [across, down]
    };
    let mut left = u32::from(restart);
    for row in 0..rows {
        for column in 0..columns {
            if restart > 0 && left == 0 {
                bits.restart();
                parts.iter_mut().for_each(|part| part.before = 0);
                left = restart.into();
            }
            left = left.saturating_sub(1);
            for part in parts.iter_mut() {
                let Component { across: wide, down: high, .. } = frame.components[part.index];
                let [blocks, lines] = if alone { [1, 1] } else { [wide, high] };
                for (y, x) in (0..lines).flat_map(|y| (0..blocks).map(move |x| (y, x))) {
                    let at = (row * lines + y) * across * wide + column * blocks + x;
                    let mean = part.block(bits)?;
                    *part.plane.get_mut(at as usize)? = mean;
                }
            }
        }
    }
    Some(())
}

/// Huffman codes (annex C).
struct Codes {
    /// Of each code that begins a byte: its length and its value.
    short: [Option<(u8, u8)>; 256],
    /// Of each length: the first code that is longer, left-aligned in 16 bits, and from where its values count.
    ends: [(u32, i32); 17],
    values: Vec<u8>,
}

impl Codes {
    fn new(counts: &[u8; 16], values: &[u8]) -> Option<Self> {
        let mut codes = Self { short: [None; 256], ends: [(0, 0); 17], values: values.to_vec() };
        let (mut code, mut index) = (0u32, 0);
        for length in 1..=16usize {
            codes.ends[length].1 = index - code as i32;
            for _ in 0..counts[length - 1] {
                if code >> length != 0 {
                    return None;
                }
                if length <= 8 {
                    let from = (code << (8 - length)) as usize;
                    codes.short[from..from + (1 << (8 - length))].fill(Some((length as u8, values[index as usize])));
                }
                (code, index) = (code + 1, index + 1);
            }
            codes.ends[length].0 = code << (16 - length);
            code <<= 1;
        }
        Some(codes)
    }

    fn next(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let ahead = bits.ahead();
        if let Some((length, value)) = self.short[(ahead >> 8) as usize] {
            bits.skip(length.into());
            return Some(value);
        }
        let length = (9..=16).find(|length| ahead < self.ends[*length].0)?;
        bits.skip(length as u32);
        let at = (ahead >> (16 - length)) as i32 + self.ends[length].1;
        self.values.get(usize::try_from(at).ok()?).copied()
    }
}

/// Coded data, bit by bit. Behind their end there are zeros.
struct Bits<'b> {
    data: &'b [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl<'b> Bits<'b> {
    fn of(data: &'b [u8]) -> Self {
        Self { data, at: 0, held: 0, count: 0 }
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let byte = match self.data.get(self.at..) {
                Some([0xff, 0, ..]) => {
                    self.at += 2;
                    0xff
                }
                // A marker, or nothing.
                Some([0xff, ..] | []) | None => 0,
                Some([byte, ..]) => {
                    self.at += 1;
                    *byte
                }
            };
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next 16 bits.
    fn ahead(&mut self) -> u32 {
        if self.count < 32 {
            self.fill();
        }
        (self.held >> (self.count - 16)) as u32 & 0xffff
    }

    fn skip(&mut self, count: u32) {
        self.count -= count;
    }

    /// A number of so many bits (annex F, table F.1).
    fn signed(&mut self, size: u8) -> Option<i32> {
        if size == 0 {
            return Some(0);
        }
        if size > 16 {
            return None;
        }
        let value = (self.ahead() >> (16 - size)) as i32;
        self.skip(size.into());
        Some(if value >> (size - 1) == 0 { value - (1 << size) + 1 } else { value })
    }

    /// Goes on behind the next restart marker, where one is next.
    fn restart(&mut self) {
        (self.held, self.count) = (0, 0);
        // What fills the last byte before a marker was taken with it.
        if let Some([0xff, 0xd0..=0xd7, ..]) = self.data.get(self.at..) {
            self.at += 2;
        }
    }
}

/// A pixel's colour (JFIF 1.02).
fn coloured([one, other, third]: [u8; 3], is_rgb: bool) -> [u8; 3] {
    if is_rgb {
        return [one, other, third];
    }
    let (light, blue, red) = (i32::from(one) << 16, i32::from(other) - 128, i32::from(third) - 128);
    let whole = |value: i32| ((value + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [whole(light + 91_881 * red), whole(light - 22_554 * blue - 46_802 * red), whole(light + 116_130 * blue)]
}
