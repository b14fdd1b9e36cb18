/// What users may change of the shell, in its configuration file or while it runs.
package final class ShellSettings {
  package var themeChoice = Theme.Choice.auto
  package var showsBanner = true
  /// Whether the prompt shows what today's statements cost.
  package var showsCost = false
  /// Whether the signature of the function being typed stands below.
  package var showsHints = true
  package var usesPager = true
  /// Dollars above which the shell asks before it runs a statement.
  package var confirmAbove: Double?
  /// The colours that `themeChoice` means here.
  var theme = Theme.none

  package init() {}
}
