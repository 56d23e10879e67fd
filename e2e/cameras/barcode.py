"""The barcode in the picture: which camera this is and which frame of its loop.

16 x 3 cells at the top left, each 1/32 of the picture's width; white is 1, the most significant bit is on the left:

    row 0   0xA5 | camera id
    row 1   frame number (16 bit)
    row 2   0x5A | checksum

It survives 160x90 at 60 kbit/s. `barcode.ts` reads it in the browser, `multistream-testkit` in Rust, `read` for the viewers
in Python.
"""

COLUMNS, ROWS = 16, 3


def checksum(camera: int, frame: int) -> int:
    """Factors keep swapped or shifted bytes from cancelling out."""
    return (camera + 7 * (frame >> 8) + 13 * (frame & 0xFF)) & 0xFF


def source(camera: int, width: int, fps: int) -> str:
    """A filter chain without input whose frame n shows the barcode of frame n, half the picture wide."""
    check = f"mod({camera}+7*floor(N/256)+13*mod(N,256),256)"
    row = f"if(eq(Y,0),{0xA500 + camera},if(eq(Y,1),N,if(eq(Y,2),{0x5A00}+{check},0)))"
    luma = f"16+219*mod(floor(({row})/pow(2,{COLUMNS - 1}-X)),2)"
    # Chroma is subsampled, so the image needs an even height: a fourth row is made and cropped off again.
    cell = width // 32
    return (
        f"color=black:size={COLUMNS}x{ROWS + 1}:rate={fps},format=yuv420p,"
        f"geq=lum='{luma}':cb=128:cr=128,"
        f"scale={COLUMNS * cell}:{(ROWS + 1) * cell}:flags=neighbor,crop={COLUMNS * cell}:{ROWS * cell}:0:0"
    )


def read(luma, stride: int, width: int):
    """(camera, frame) from the luma plane of a decoded picture, or None if there is no barcode, or a damaged one."""
    cell = width // 32

    def row(y: int) -> bytes:
        start = (y * cell + cell // 2) * stride + cell // 2
        bits = "".join("1" if luma[start + x * cell] > 128 else "0" for x in range(COLUMNS))
        return int(bits, 2).to_bytes(2, "big")

    if cell == 0 or len(luma) < ROWS * cell * stride:
        return None
    (mark, camera), (high, low), (end, check) = (row(y) for y in range(ROWS))
    frame = high << 8 | low
    return (camera, frame) if (mark, end, check) == (0xA5, 0x5A, checksum(camera, frame)) else None
