//! A picture that is made small while it is read: each cell of a grid is the mean of the pixels that fall into it.

use image::RgbaImage;

/// Pixels of a grid's longer side, at most.
const LONGEST: u32 = 1024;

/// The cells of a picture.
pub struct Grid {
    /// Of the picture.
    width: u32,
    height: u32,
    /// Pixels of the picture along each side of a cell.
    factor: u32,
    columns: u32,
    /// Of each cell the sums of red, green and blue, as far as they are opaque, and of opacity. None overflows: with the
    /// pixels that a picture may have, no cell has more than some hundred thousand.
    sums: Vec<[u32; 4]>,
}

impl Grid {
    /// Makes an empty one of a picture of this size; what it leaves out is transparent.
    pub fn of(width: u32, height: u32) -> Self {
        let factor = factor(width, height);
        let (columns, rows) = (width.div_ceil(factor), height.div_ceil(factor));
        Self { width, height, factor, columns, sums: vec![[0; 4]; columns as usize * rows as usize] }
    }

    /// The bytes that one takes, and the small picture that is made of it.
    pub fn bytes(width: u32, height: u32) -> u64 {
        let factor = factor(width, height);
        u64::from(width.div_ceil(factor)) * u64::from(height.div_ceil(factor)) * (16 + 4)
    }

    /// Adds pixels of a row, from `from` on each `step` beyond the one before.
    pub fn add(&mut self, y: u32, from: u32, step: u32, pixels: impl Iterator<Item = [u8; 4]>) {
        if y >= self.height {
            return;
        }
        let first = (y / self.factor * self.columns) as usize;
        let cells = &mut self.sums[first..first + self.columns as usize];
        let (mut x, mut cell) = (from, (from / self.factor) as usize);
        let mut end = (cell as u32).saturating_add(1).saturating_mul(self.factor);
        for [red, green, blue, alpha] in pixels {
            if x >= self.width {
                return;
            }
            while x >= end {
                (cell, end) = (cell + 1, end.saturating_add(self.factor));
            }
            let alpha = u32::from(alpha);
            let [reds, greens, blues, alphas] = &mut cells[cell];
            if alpha == 255 {
                (*reds, *greens, *blues) =
                    (*reds + u32::from(red), *greens + u32::from(green), *blues + u32::from(blue));
            } else {
                let shows = |colour: u8| (u32::from(colour) * alpha + 127) / 255;
                (*reds, *greens, *blues) = (*reds + shows(red), *greens + shows(green), *blues + shows(blue));
            }
            *alphas += alpha;
            x = x.saturating_add(step);
        }
    }

    /// The small picture.
    pub fn picture(self) -> RgbaImage {
        let (columns, factor) = (self.columns, self.factor);
        let rows = self.height.div_ceil(factor);
        RgbaImage::from_fn(columns, rows, |column, row| {
            let [wide, high] =
                [(self.width, column), (self.height, row)].map(|(side, at)| (side - at * factor).min(factor));
            let sums = self.sums[(row * columns + column) as usize];
            let (opacity, pixels) = (u64::from(sums[3]), u64::from(wide) * u64::from(high));
            let colour =
                |sum: u32| (u64::from(sum) * 255 + opacity / 2).checked_div(opacity).unwrap_or(0).min(255) as u8;
            let alpha = ((opacity + pixels / 2) / pixels) as u8;
            image::Rgba([colour(sums[0]), colour(sums[1]), colour(sums[2]), alpha])
        })
    }
}

fn factor(width: u32, height: u32) -> u32 {
    width.max(height).div_ceil(LONGEST).max(1)
}

/// A pixel of so many channels: grey, or red, green and blue, with opacity or without.
pub fn rgba(pixel: &[u8]) -> [u8; 4] {
    match *pixel {
        [grey] => [grey, grey, grey, 255],
        [grey, alpha] => [grey, grey, grey, alpha],
        [red, green, blue] => [red, green, blue, 255],
        [red, green, blue, alpha] => [red, green, blue, alpha],
        _ => [0; 4],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_the_mean_of_its_pixels() {
        let (width, height) = (2500, 1001);
        let mut grid = Grid::of(width, height);
        for y in 0..height {
            grid.add(y, 0, 1, (0..width).map(|x| [(x % 256) as u8, (y % 256) as u8, 7, 255]));
        }
        let small = grid.picture();
        assert_eq!((small.width(), small.height()), (834, 334));
        for (column, row) in [(0, 0), (10, 300), (833, 333)] {
            let mean = |at: u32, side: u32| {
                let all = (at * 3..(at * 3 + 3).min(side)).map(|at| at % 256);
                let (sum, count) = all.fold((0, 0), |(sum, count), value| (sum + value, count + 1));
                ((sum + count / 2) / count) as u8
            };
            let [red, green, blue, alpha] = small[(column, row)].0;
            assert_eq!([red, green, blue, alpha], [mean(column, width), mean(row, height), 7, 255]);
        }
    }

    #[test]
    fn what_is_transparent_has_no_colour_to_mix() {
        let mut grid = Grid::of(2048, 2);
        for y in 0..2 {
            grid.add(y, 0, 1, (0..2048).map(|x| if x % 2 == 0 { [200, 100, 50, 255] } else { [0, 0, 0, 0] }));
        }
        let small = grid.picture();
        assert_eq!(small[(500, 0)].0, [200, 100, 50, 128]);
        assert_eq!(Grid::of(5, 5).picture()[(4, 4)].0, [0; 4]);
    }

    #[test]
    fn what_lies_beside_the_picture_is_left_out() {
        let mut grid = Grid::of(3, 2);
        grid.add(7, 0, 1, [[255; 4]].into_iter());
        grid.add(0, 2, 1, [[255; 4], [9; 4], [9; 4]].into_iter());
        grid.add(1, u32::MAX, 1, [[255; 4]].into_iter());
        let small = grid.picture();
        assert_eq!(small.pixels().filter(|pixel| pixel[3] > 0).count(), 1);
    }
}
