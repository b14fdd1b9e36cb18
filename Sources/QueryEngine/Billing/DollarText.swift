/// Amounts of US dollars as messages say them: `$4.61`, `$0.00005`.
package enum DollarText {
  /// At least two decimals, and as many as two digits other than 0 take, up to eight.
  package static func text(_ amount: Double) -> String {
    var digits = 2
    var probe = abs(amount)
    while probe > 0, probe < 1, digits < 8 {
      probe *= 10
      digits += 1
    }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((amount * scale).rounded())
    let fraction = String(abs(scaled) % Int(scale))
    var text = "\(abs(scaled) / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    while text.hasSuffix("0"), text.split(separator: ".").last.map({ $0.count > 2 }) ?? false { text.removeLast() }
    return (scaled < 0 ? "-$" : "$") + text
  }
}
