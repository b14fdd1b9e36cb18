// swift-tools-version: 6.2
// A package of its own: it is built with sanitizers and linked to libFuzzer, by fuzz.py.
import PackageDescription

let package = Package(
  name: "sqlq-fuzzing",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "sqlq", path: "../..")],
  targets: [
    .executableTarget(
      name: "Fuzz", dependencies: [.product(name: "QueryEngine", package: "sqlq")], path: "Fuzz",
      // libFuzzer is written in C++.
      linkerSettings: [.linkedLibrary("stdc++")])
  ],
  swiftLanguageModes: [.v6]
)
