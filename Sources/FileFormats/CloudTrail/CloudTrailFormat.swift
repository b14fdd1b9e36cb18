package import Columnar
package import ObjectStore
package import QueryErrors

/// AWS CloudTrail's log files: one object a file, whose array `Records` holds the events.
///
///     {"Records": [{"eventVersion": "1.08", "userIdentity": {…}, …}, {…}]}
///
/// An event is read as JSON: keys are columns whatever their case, objects and arrays in a string column are their text.
///
/// - Source: Athena User Guide, "Query AWS CloudTrail logs", "CloudTrail SerDe".
package struct CloudTrailFormat: FileFormat {
  package static let descriptor = FormatDescriptor(
    name: "cloudtrail", label: "CloudTrail", storedAs: [],
    // Its input format goes with the JSON SerDes, too, as AWS declares such tables nowadays.
    serdes: ["com.amazon.emr.hive.serde.CloudTrailSerde"] + JSONFormat.descriptor.serdes,
    inputFormats: ["com.amazon.emr.cloudtrail.CloudTrailInputFormat"], extensions: [],
    summary: "AWS CloudTrail's events, in an array a file", isText: true)

  private let settings: JSONSettings

  /// - Throws: as `JSONFormat`.
  package init(_ options: FormatOptions) throws(QueryError) {
    var settings = try JSONSettings(options)
    settings.layout = .document
    settings.wrapper = "Records"
    self.settings = settings
  }

  /// - Throws: `NOT_SUPPORTED`: such tables are declared.
  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    throw .notSupported("A table of CloudTrail logs needs its columns declared")
  }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    try JSONFile(source, try TextCoding.of(source, declared: settings.encoding, settings.compression), settings)
  }
}
