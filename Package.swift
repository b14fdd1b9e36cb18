// swift-tools-version: 6.2
// The module table: the only place that states who may import whom. A row may import only rows above it.
import PackageDescription

/// One library target: its name, the targets above it that it imports, and the system libraries it links.
struct Module {
  var name: String
  var imports: [String]
  var packages: [Target.Dependency] = []
}

let modules: [Module] = [
  Module(name: "QueryErrors", imports: []),
  Module(name: "Columnar", imports: ["QueryErrors", "CKernels", "CLZ4"]),
  Module(name: "SQLSyntax", imports: ["QueryErrors"]),
  Module(name: "RegularExpressions", imports: ["QueryErrors"]),
  Module(
    name: "ObjectStore",
    imports: ["QueryErrors", "Columnar", "CKernels", "CZstd", "CLZ4", "CSnappy", "CDeflate", "CZlib", "CBzip2", "CBrotli"]),
  // Loads libcurl when the first request is made; local work never does.
  Module(name: "HTTPClient", imports: ["QueryErrors", "ObjectStore", "CCurl"]),
  Module(name: "S3ObjectStore", imports: ["QueryErrors", "ObjectStore", "HTTPClient", "CCurl", "CCrypto"]),
  Module(name: "Geospatial", imports: ["QueryErrors", "Columnar"]),
  // What a source of rows outside of files has to say, and the sources that come with sqlq.
  Module(name: "ConnectorSDK", imports: ["QueryErrors", "Columnar"]),
  Module(name: "SQLiteConnector", imports: ["QueryErrors", "Columnar", "ConnectorSDK", "CSQLite"]),
  // Loads libpq when the first catalog of this kind is connected to.
  Module(name: "PostgreSQLConnector", imports: ["QueryErrors", "Columnar", "ConnectorSDK", "CKernels", "CPostgreSQL"]),
  Module(
    name: "SQLFunctions",
    imports: ["QueryErrors", "RegularExpressions", "Columnar", "Geospatial", "CKernels", "CPCRE2", "CCrypto", "CStemmer"]),
  Module(name: "FileFormats", imports: ["QueryErrors", "RegularExpressions", "Columnar", "ObjectStore", "CKernels", "CPCRE2"]),
  Module(name: "HTTPConnector", imports: ["QueryErrors", "Columnar", "ObjectStore", "ConnectorSDK", "HTTPClient", "FileFormats"]),
  Module(name: "SQLExpressions", imports: ["QueryErrors", "Columnar", "SQLFunctions", "CKernels"]),
  Module(name: "TableCatalog", imports: ["QueryErrors", "Columnar", "ObjectStore", "FileFormats", "CSQLite"]),
  Module(
    name: "QueryPlan",
    imports: [
      "QueryErrors", "Columnar", "ConnectorSDK", "ObjectStore", "SQLFunctions", "FileFormats", "SQLExpressions", "TableCatalog",
    ]),
  Module(
    name: "QueryPlanner",
    imports: [
      "QueryErrors", "Columnar", "ConnectorSDK", "SQLSyntax", "SQLFunctions", "SQLExpressions", "TableCatalog", "QueryPlan",
    ]),
  Module(
    name: "QueryOptimizer",
    imports: [
      "QueryErrors", "Columnar", "ConnectorSDK", "ObjectStore", "SQLFunctions", "FileFormats", "SQLExpressions", "TableCatalog",
      "QueryPlan",
    ]),
  Module(
    name: "QueryExecution",
    imports: [
      "QueryErrors", "Columnar", "ConnectorSDK", "ObjectStore", "SQLFunctions", "FileFormats", "SQLExpressions", "TableCatalog",
      "QueryPlan", "CKernels",
    ]),
  Module(
    name: "QueryEngine",
    imports: [
      "QueryErrors", "Columnar", "ConnectorSDK", "SQLiteConnector", "PostgreSQLConnector", "HTTPConnector", "SQLSyntax", "ObjectStore",
      "S3ObjectStore", "SQLFunctions", "FileFormats", "SQLExpressions", "TableCatalog",
      "QueryPlan", "QueryPlanner", "QueryOptimizer", "QueryExecution", "CKernels",
    ]),
  Module(name: "QueryShell", imports: ["QueryEngine", "CKernels"]),
  // The HTTP server of `sqlq serve`: the only module above a network library.
  Module(
    name: "QueryService",
    imports: [
      "QueryErrors", "Columnar", "SQLSyntax", "ObjectStore", "HTTPClient", "S3ObjectStore", "FileFormats", "TableCatalog", "QueryEngine",
      "CAttributes",
    ],
    packages: ["NIOCore", "NIOPosix", "NIOHTTP1"].map { .product(name: $0, package: "swift-nio") }),
]

/// Debian's -dev packages, each behind a module map in Sources/CSystem.
let systemLibraries: [(name: String, pkgConfig: String?, apt: String)] = [
  ("CZstd", "libzstd", "libzstd-dev"),
  ("CLZ4", "liblz4", "liblz4-dev"),
  ("CSnappy", nil, "libsnappy-dev"),
  ("CDeflate", "libdeflate", "libdeflate-dev"),
  ("CZlib", "zlib", "zlib1g-dev"),
  ("CBzip2", nil, "libbz2-dev"),
  ("CBrotli", "libbrotlidec", "libbrotli-dev"),
  ("CPCRE2", "libpcre2-8", "libpcre2-dev"),
  ("CSQLite", "sqlite3", "libsqlite3-dev"),
  ("CCrypto", "libcrypto", "libssl-dev"),
  // Its headers only: the library is loaded when it is needed.
  ("CCurl", nil, "libcurl4-openssl-dev"),
  ("CPostgreSQL", nil, "libpq-dev"),
  ("CStemmer", nil, "libstemmer-dev"),
  ("CAttributes", nil, "libc6-dev"),
]

// AVX2 on x86 for every Swift target alike, so that code which cross-module optimization copies keeps its features.
#if arch(x86_64)
  let instructionSet: [String] = ["-Xcc", "-march=x86-64-v3"]
#else
  let instructionSet: [String] = []
#endif

let swiftSettings: [SwiftSetting] = [
  .unsafeFlags(instructionSet),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
  // The compiler proves most accesses exclusive; the checks left at run time stay in debug builds, which the tests use.
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

// A one-shot query is mostly process start, and half of that was the dynamic loader's symbol lookups in libstdc++,
// libcrypto and others. On Linux sqlq's release build takes the -dev packages' archives instead: the configuration file
// puts a folder of linker scripts, `INPUT(libzstd.a)` for `-lzstd`, before all other library folders.
let staticLinking: [LinkerSetting] = [
  .unsafeFlags(
    [
      "-Xclang-linker", "--config=\(Context.packageDirectory)/Sources/CSystem/StaticLibraries/clang.cfg",
      "-Xclang-linker", "-no-pie", "-Xlinker", "--no-export-dynamic",
    ], .when(platforms: [.linux], configuration: .release))
]

/// Modules that have a folder `Tests/<name>Tests`.
let hasTests: Set<String> = [
  "Columnar", "FileFormats", "ObjectStore", "QueryEngine", "QueryExecution", "QueryPlanner", "QueryService", "QueryShell", "S3ObjectStore",
  "SQLFunctions", "SQLSyntax",
  "TableCatalog",
]

/// Test targets: name of the module under test → what else the tests import.
let testedModules: [String] = modules.map(\.name).filter { name in
  hasTests.contains(name)
}

/// Files that tests read where they lie.
let excludedFiles: [String: [String]] = ["FileFormats": ["Fixtures"], "S3ObjectStore": ["signatures.json"]]

let package = Package(
  name: "sqlq",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "sqlq", targets: ["sqlq"]),
    .library(name: "QueryEngine", targets: ["QueryEngine"]),
  ],
  // For sqlq's subcommands and its server only: QueryEngine and what it imports are built without any package.
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: systemLibraries.map {
    .systemLibrary(
      name: $0.name, path: "Sources/CSystem/\($0.name)", pkgConfig: $0.pkgConfig, providers: [.apt([$0.apt])])
  } + [
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-fno-math-errno"])])
  ]
    + modules.map { module in
      .target(
        name: module.name,
        dependencies: module.imports.map { .target(name: $0) } + module.packages,
        swiftSettings: swiftSettings)
    } + [
      .executableTarget(
        name: "sqlq",
        dependencies: [
          "QueryShell", "QueryService", "QueryEngine", "QueryErrors", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ],
        swiftSettings: swiftSettings,
        linkerSettings: staticLinking)
    ]
    + testedModules.map { name in
      .testTarget(
        name: "\(name)Tests",
        dependencies: [.target(name: name)] + (modules.first { $0.name == name }?.imports ?? []).map { .target(name: $0) },
        exclude: excludedFiles[name] ?? [],
        swiftSettings: swiftSettings)
    } + [
      .testTarget(
        name: "SQLLogicTests", dependencies: ["QueryEngine"], exclude: ["Cases"], swiftSettings: swiftSettings),
      .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
      .testTarget(
        name: "CounterTests", dependencies: ["QueryEngine", "CAllocationCounter"], swiftSettings: swiftSettings),
      .testTarget(name: "PostgreSQLConnectorTests", dependencies: ["QueryEngine"], swiftSettings: swiftSettings),
      .testTarget(name: "HTTPConnectorTests", dependencies: ["QueryEngine"], swiftSettings: swiftSettings),
      .testTarget(name: "CommandLineTests", dependencies: ["sqlq"], swiftSettings: swiftSettings),
      .testTarget(
        name: "ArchitectureTests", dependencies: ["QueryEngine", "SQLFunctions"], swiftSettings: swiftSettings),
    ],
  swiftLanguageModes: [.v6]
)
