import Columnar
import Glibc

/// A colour as values of type `color` hold it.
///
///     red << 16 | green << 8 | blue      24 bits, never negative
///     −1 … −8                            the terminal's own black, red, green, yellow, blue, magenta, cyan, white
///
/// - Source: Trino `ColorFunctions`, `ColorType`.
struct ColorValue {
  let code: Int32

  static let systemNames = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]

  init(code: Int32) { self.code = code }

  init(red: Int, green: Int, blue: Int) { code = Int32(red << 16 | green << 8 | blue) }

  /// A name of a terminal's colour or `#rgb`; nil for anything else.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    if bytes.count == 4, bytes[0] == 0x23 {
      let digits = bytes[1...].compactMap { Character(UnicodeScalar($0)).hexDigitValue }
      guard digits.count == 3 else { return nil }
      self.init(red: digits[0] * 17, green: digits[1] * 17, blue: digits[2] * 17)
    } else if let index = ColorValue.systemNames.firstIndex(of: text.lowercased()) {
      self.init(code: Int32(-(index + 1)))
    } else {
      return nil
    }
  }

  var isRGB: Bool { code >= 0 }
  var red: Int { Int(code >> 16) & 0xff }
  var green: Int { Int(code >> 8) & 0xff }
  var blue: Int { Int(code) & 0xff }

  /// `#rrggbb` or the terminal colour's name.
  var text: String {
    if !isRGB {
      let index = Int(-(code + 1))
      return index < ColorValue.systemNames.count ? ColorValue.systemNames[index] : "\(code)"
    }
    return "#"
      + [red, green, blue].map { part in
        let digits = String(part, radix: 16)
        return digits.utf8.count < 2 ? "0" + digits : digits
      }.joined()
  }

  /// What makes a terminal print in this colour: one of the 6 · 6 · 6 colours of its cube.
  var escape: String {
    let index = isRGB ? 16 + red * 6 / 256 * 36 + green * 6 / 256 * 6 + blue * 6 / 256 : Int(-code) - 1
    return "\u{1b}[38;5;\(index)m"
  }

  static let reset = "\u{1b}[0m"

  /// The colour at a share of the way from `low` to `high`, in the HSB space.
  static func between(_ low: ColorValue, _ high: ColorValue, at fraction: Float) -> ColorValue {
    let (a, b) = (low.hueSaturationBrightness, high.hueSaturationBrightness)
    let parts = (0..<3).map { fraction * (b[$0] - a[$0]) + a[$0] }
    return ColorValue(hue: parts[0], saturation: parts[1], brightness: parts[2])
  }

  /// - Source: `java.awt.Color.RGBtoHSB`.
  private var hueSaturationBrightness: [Float] {
    let (largest, smallest) = (max(red, green, blue), min(red, green, blue))
    let span = Float(largest - smallest)
    let saturation = largest == 0 ? 0 : span / Float(largest)
    var hue: Float = 0
    if saturation != 0 {
      let (r, g, b) = (Float(largest - red) / span, Float(largest - green) / span, Float(largest - blue) / span)
      hue = red == largest ? b - g : green == largest ? 2 + r - b : 4 + g - r
      hue /= 6
      if hue < 0 { hue += 1 }
    }
    return [hue, saturation, Float(largest) / 255]
  }

  /// - Source: `java.awt.Color.HSBtoRGB`.
  private init(hue: Float, saturation: Float, brightness: Float) {
    func byte(_ value: Float) -> Int { value.isFinite ? Int(max(0, min(255, value * 255 + 0.5))) : 0 }
    let v = brightness
    if saturation == 0 {
      self.init(red: byte(v), green: byte(v), blue: byte(v))
      return
    }
    let h = (hue - hue.rounded(.down)) * 6
    let f = h - h.rounded(.down)
    let p = v * (1 - saturation)
    let q = v * (1 - saturation * f)
    let t = v * (1 - saturation * (1 - f))
    let rgb: (Float, Float, Float)
    switch h.isFinite ? Int(h) : 0 {
    case 0: rgb = (v, t, p)
    case 1: rgb = (q, v, p)
    case 2: rgb = (p, v, t)
    case 3: rgb = (p, q, v)
    case 4: rgb = (t, p, v)
    default: rgb = (v, p, q)
    }
    self.init(red: byte(rgb.0), green: byte(rgb.1), blue: byte(rgb.2))
  }
}
