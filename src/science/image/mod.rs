//! Frames of pixels, their masks and their statistics.
//!
//! Pixels are 0-based, the centre of the first pixel is (0, 0), x runs fastest in memory.

pub mod mask;
pub mod resample;
pub mod stats;

use ndarray::Array2;

/// Holds a frame of pixels, row-major: `x` in `0..nx` runs fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Image<T>(Array2<T>);

impl<T: Clone> Image<T> {
    /// Makes a frame of `nx` x `ny` equal pixels.
    pub fn filled(nx: usize, ny: usize, value: T) -> Self {
        Self(Array2::from_elem((ny, nx), value))
    }
}

impl<T> Image<T> {
    /// Wraps `nx * ny` pixels; `None` when the count does not fit.
    pub fn from_pixels(nx: usize, ny: usize, pixels: Vec<T>) -> Option<Self> {
        Array2::from_shape_vec((ny, nx), pixels).ok().map(Self)
    }

    /// Number of columns.
    pub fn nx(&self) -> usize {
        self.0.ncols()
    }

    /// Number of rows.
    pub fn ny(&self) -> usize {
        self.0.nrows()
    }

    /// All pixels, row by row.
    pub fn pixels(&self) -> &[T] {
        self.0.as_slice().expect("an Image is always in standard layout")
    }

    /// All pixels, row by row, to be changed.
    pub fn pixels_mut(&mut self) -> &mut [T] {
        self.0.as_slice_mut().expect("an Image is always in standard layout")
    }

    /// The pixels of row `y`; panics outside the frame.
    pub fn row(&self, y: usize) -> &[T] {
        let nx = self.nx();
        &self.pixels()[y * nx..(y + 1) * nx]
    }

    /// The pixels of row `y`, to be changed; panics outside the frame.
    pub fn row_mut(&mut self, y: usize) -> &mut [T] {
        let nx = self.nx();
        &mut self.pixels_mut()[y * nx..(y + 1) * nx]
    }

    /// Gives the pixels away, row by row.
    pub fn into_pixels(self) -> Vec<T> {
        self.0.into_raw_vec_and_offset().0
    }

    /// Tells whether another frame has the same number of columns and rows.
    pub fn same_shape<U>(&self, other: &Image<U>) -> bool {
        self.nx() == other.nx() && self.ny() == other.ny()
    }
}

impl<T: Copy> Image<T> {
    /// The pixel at (x, y); panics outside the frame.
    pub fn at(&self, x: usize, y: usize) -> T {
        self.0[[y, x]]
    }

    /// The frame turned by 180 degrees: pixel (x, y) goes to (nx-1-x, ny-1-y).
    pub fn turned_180(&self) -> Self {
        let mut pixels = self.pixels().to_vec();
        pixels.reverse();
        Self::from_pixels(self.nx(), self.ny(), pixels).expect("the same number of pixels")
    }

    /// The window of columns `x0..x1` and rows `y0..y1`, which must lie inside the frame.
    pub fn window(&self, x0: usize, x1: usize, y0: usize, y1: usize) -> Self {
        assert!(x0 < x1 && x1 <= self.nx() && y0 < y1 && y1 <= self.ny());
        let pixels = (y0..y1).flat_map(|y| self.row(y)[x0..x1].iter().copied()).collect();
        Self::from_pixels(x1 - x0, y1 - y0, pixels).expect("counted by the window")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_moves_the_first_pixel_to_the_last_corner() {
        let image = Image::from_pixels(3, 2, vec![1, 2, 3, 4, 5, 6]).expect("six pixels");
        let turned = image.turned_180();
        assert_eq!(turned.at(2, 1), 1);
        assert_eq!(turned.at(0, 0), 6);
        assert_eq!(turned.turned_180(), image);
    }

    #[test]
    fn window_keeps_places() {
        let image = Image::from_pixels(3, 2, vec![1, 2, 3, 4, 5, 6]).expect("six pixels");
        let window = image.window(1, 3, 1, 2);
        assert_eq!((window.nx(), window.ny()), (2, 1));
        assert_eq!(window.pixels(), &[5, 6]);
    }
}
