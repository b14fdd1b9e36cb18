extension QueryExecution {
  /// How far the statement is, every so often and once more at its end; then the sequence ends.
  ///
  ///     for await progress in execution.progressUpdates() { bar.fraction = progress.fraction }
  ///
  /// Letting go of it does not stop the statement.
  public func progressUpdates(every interval: Duration = .milliseconds(100)) -> AsyncStream<QueryProgress> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      let task = Task { [weak self] in
        while let progress = self?.progress, !Task.isCancelled {
          continuation.yield(progress)
          if progress.state.isFinal { break }
          try? await Task.sleep(for: interval)
        }
        continuation.finish()
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }
}

extension QueryProgress {
  /// The part of the planned bytes that has been scanned, 0 to 1; nil while no plan is known.
  public var fraction: Double? { bytesPlanned > 0 ? min(1, Double(bytesScanned) / Double(bytesPlanned)) : nil }
}
