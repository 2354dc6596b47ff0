"""Checks of packages for images, sound and documents."""

from __future__ import annotations

import io
from typing import Any

from .case import smoke


@smoke("pillow", "PIL.Image", "PIL.ImageFilter")
def pillow(images: Any, filters: Any) -> None:
    image = images.new("RGB", (64, 64), (200, 30, 40))
    for name in ("JPEG", "PNG"):
        file = io.BytesIO()
        image.save(file, name)
        again = images.open(io.BytesIO(file.getvalue()))
        again.load()
        near = zip(again.getpixel((5, 5)), (200, 30, 40))
        assert all(abs(here - there) <= 3 for here, there in near)
    small = image.resize((8, 8), images.Resampling.BICUBIC).filter(filters.GaussianBlur(1))
    assert (small.size, small.getpixel((4, 4))) == ((8, 8), (200, 30, 40))


@smoke(
    "opencv-python-headless opencv-python opencv-contrib-python-headless opencv-contrib-python",
    "cv2",
    "numpy",
)
def opencv(cv2: Any, np: Any) -> None:
    image = np.zeros((32, 32), "u1")
    image[8:24, 8:24] = 200
    assert cv2.resize(image, (16, 16), interpolation=cv2.INTER_NEAREST)[8, 8] == 200
    contours, _ = cv2.findContours(image, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    assert [cv2.contourArea(contour) for contour in contours] == [225]
    done, packed = cv2.imencode(".png", image)
    assert done
    assert (cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE) == image).all()


@smoke("scikit-image", "skimage.measure", "numpy")
def scikit_image(measure: Any, np: Any) -> None:
    assert measure.label(np.array([[1, 0], [0, 1]]), connectivity=1).max() == 2


@smoke("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg")
def matplotlib(figures: Any, agg: Any) -> None:
    figure = figures.Figure(figsize=(1, 1), dpi=20, facecolor=(1, 0, 0))
    canvas = agg.FigureCanvasAgg(figure)
    canvas.draw()
    pixels = canvas.buffer_rgba()
    assert (pixels.shape, list(bytes(pixels)[:4])) == ((20, 20, 4), [255, 0, 0, 255])


@smoke("soundfile", "soundfile", "numpy")
def soundfile(soundfile: Any, np: Any) -> None:
    samples = (np.arange(1000) % 100 * 100).astype("i2")
    file = io.BytesIO()
    soundfile.write(file, samples, 8000, format="FLAC")
    file.seek(0)
    again, rate = soundfile.read(file, dtype="int16")
    assert (rate, again.tolist()) == (8000, samples.tolist())


@smoke("pymupdf", "pymupdf")
def pymupdf(pymupdf: Any) -> None:
    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "hello arm")
    again = pymupdf.open("pdf", document.tobytes())
    assert again[0].get_text().strip() == "hello arm"


@smoke("pikepdf", "pikepdf")
def pikepdf(pikepdf: Any) -> None:
    file = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(100, 200))
        document.save(file)
    with pikepdf.open(file) as again:
        assert [int(number) for number in again.pages[0].mediabox] == [0, 0, 100, 200]


@smoke("pypdfium2", "pypdfium2")
def pypdfium2(pdfium: Any) -> None:
    file = io.BytesIO()
    document = pdfium.PdfDocument.new()
    document.new_page(100, 200).close()
    document.save(file)
    document.close()
    again = pdfium.PdfDocument(file.getvalue())
    size = again[0].get_size()
    again.close()
    assert size == (100, 200)
