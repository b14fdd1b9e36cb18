// swift-tools-version: 6.2
// A package of its own, so that who embeds sqlq's QueryEngine neither fetches nor compiles what only benchmarks need.
import PackageDescription

let package = Package(
  name: "sqlq-benchmarks",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "sqlq-bench", targets: ["Harness"])],
  dependencies: [
    .package(name: "sqlq", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
  ],
  targets: [
    .executableTarget(
      name: "Harness",
      dependencies: [
        .product(name: "QueryEngine", package: "sqlq"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Harness", exclude: ["drivers.py"],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
