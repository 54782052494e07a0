//! Small grey pictures of frames and stamps, for pages.

use super::stretch::Stretch;
use crate::science::image::Image;

/// Grey levels of a picture.
const LEVELS: u8 = 255;

/// Averages blocks of pixels so that neither side is longer than `side_max_px`; pixels that are
/// not finite are left out of the averages.
pub fn binned(image: &Image<f32>, side_max_px: usize) -> Image<f32> {
    let longest = image.nx().max(image.ny());
    let step = longest.div_ceil(side_max_px.max(1)).max(1);
    let (nx, ny) = (image.nx().div_ceil(step), image.ny().div_ceil(step));
    let mut small = Image::filled(nx, ny, f32::NAN);
    for y in 0..ny {
        let mut sums = vec![(0.0_f64, 0_u32); nx];
        for row in y * step..((y + 1) * step).min(image.ny()) {
            for (block, sum) in image.row(row).chunks(step).zip(&mut sums) {
                for value in block.iter().filter(|value| value.is_finite()) {
                    sum.0 += f64::from(*value);
                    sum.1 += 1;
                }
            }
        }
        for (pixel, (sum, n)) in small.row_mut(y).iter_mut().zip(sums) {
            if n > 0 {
                *pixel = (sum / f64::from(n)) as f32;
            }
        }
    }
    small
}

/// A grey PNG, the first row at the bottom as FITS has it; `None` without a finite pixel.
pub fn grey_png(image: &Image<f32>) -> Option<Vec<u8>> {
    let stretch = Stretch::from_pixels(image.pixels().iter())?;
    let (width, height) = (u32::try_from(image.nx()).ok()?, u32::try_from(image.ny()).ok()?);
    let rows = (0..image.ny()).rev();
    let greys: Vec<u8> =
        rows.flat_map(|y| image.row(y)).map(|value| stretch.grey(*value, LEVELS)).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&greys).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_averaged_without_bad_pixels() {
        // 5 x 3 pixels in blocks of 2 x 2: (0 + 1 + 5 + NaN) / 3 = 2 in the first one.
        let mut pixels: Vec<f32> = (0..15_u8).map(f32::from).collect();
        pixels[6] = f32::NAN;
        let image = Image::from_pixels(5, 3, pixels).expect("15 pixels");
        let small = binned(&image, 3);
        assert_eq!((small.nx(), small.ny()), (3, 2));
        assert!((small.at(0, 0) - 2.0).abs() < 1e-6, "{}", small.at(0, 0));
        // The corner block holds the last pixel alone.
        assert!((small.at(2, 1) - 14.0).abs() < 1e-6);
        assert_eq!(binned(&image, 100).nx(), 5);
    }

    #[test]
    fn the_picture_has_its_first_row_at_the_bottom() {
        let image = Image::from_pixels(2, 2, vec![0.0, 0.0, 100.0, 100.0]).expect("four");
        let bytes = grey_png(&image).expect("a picture");
        let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        let mut reader = decoder.read_info().expect("a head");
        let mut greys = vec![0; 4];
        reader.next_frame(&mut greys).expect("pixels");
        assert!(greys[0] > greys[2], "{greys:?}");
        assert_eq!(grey_png(&Image::filled(2, 2, f32::NAN)), None);
    }
}
