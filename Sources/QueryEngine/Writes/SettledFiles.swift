import ObjectStore
import QueryErrors
import TableCatalog

/// The files of a declared table as they are between two writes: those of a write are listed all or none.
struct SettledFiles: TableFiles {
  let location: String
  let catalog: Catalog
  let stores: ObjectStores
  /// The files as the catalog has them now.
  let current: @Sendable () throws(QueryError) -> any TableFiles

  /// Listings that writes may come between; beyond, files of a write that is just being made visible may be missing.
  private static let largestTryCount = 100

  func list(_ predicate: (any PartitionPredicate)?, meter: ScanMeter) throws(QueryError) -> TableListing {
    var tries = 0
    while true {
      var state = try catalog.writeState()
      if !state.isSettled {
        try PendingWrites(catalog: catalog, stores: stores).settle()
        state = try catalog.writeState()
      }
      let listing = try current().list(predicate, meter: meter)
      tries += 1
      if try catalog.writeState() == state || tries == SettledFiles.largestTryCount { return listing }
    }
  }
}
