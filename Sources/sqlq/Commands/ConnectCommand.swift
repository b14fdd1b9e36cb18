import ArgumentParser

/// `sqlq connect CLIENT`: the lines that point a client at `sqlq serve`.
struct ConnectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connect", abstract: "Print the lines that point a client at sqlq serve.",
    discussion: "A new client is one case of ConnectCommand.Client.")

  enum Client: String, CaseIterable, ExpressibleByArgument {
    case boto3, awscli, pyathena, sqlalchemy, awswrangler, dbt, superset, grafana, jdbc, trino

    /// - Parameter endpoint: `http://127.0.0.1:8090`.
    func lines(_ endpoint: String, _ region: String, key: String, secret: String) -> String {
      let place = endpoint.drop { $0 != "/" }.drop { $0 == "/" }
      let variables = """
        export AWS_ENDPOINT_URL=\(endpoint) AWS_DEFAULT_REGION=\(region)
        export AWS_ACCESS_KEY_ID=\(key) AWS_SECRET_ACCESS_KEY=\(secret)
        """
      switch self {
      case .boto3:
        return variables + """

          python3 -c 'import boto3; print(boto3.client("athena").start_query_execution(QueryString="SELECT 1"))'
          """
      case .awscli: return variables + "\naws athena start-query-execution --query-string 'SELECT 1'"
      case .pyathena:
        return variables + """

          python3 -c 'from pyathena import connect; print(connect(s3_staging_dir="s3://sqlq-results/", region_name="\(region)").cursor().execute("SELECT 1").fetchall())'
          """
      case .sqlalchemy:
        return variables + """

          # pip install 'PyAthena[SQLAlchemy]'
          awsathena+rest://\(key):\(secret)@athena.\(region).amazonaws.com:443/default?s3_staging_dir=s3://sqlq-results/
          """
      case .awswrangler:
        return variables + """

          python3 -c 'import awswrangler as wr; print(wr.athena.read_sql_query("SELECT 1 AS one", database="default", ctas_approach=False))'
          """
      case .dbt:
        return variables + """

          # profiles.yml
          sqlq:
            target: dev
            outputs:
              dev: {type: athena, s3_staging_dir: s3://sqlq-results/, s3_data_dir: s3://dbt/, region_name: \(region), database: awsdatacatalog, schema: default}
          """
      case .superset: return Client.sqlalchemy.lines(endpoint, region, key: key, secret: secret) + "\n# as the database's SQLAlchemy URI"
      case .grafana:
        return """
          # The Athena data source, with keys \(key) and \(secret):
          Endpoint: \(endpoint)
          Default region: \(region)
          """
      case .jdbc:
        return """
          jdbc:athena://Region=\(region);AthenaEndpoint=\(endpoint);S3Endpoint=\(endpoint);OutputLocation=s3://sqlq-results/;User=\(key);Password=\(secret)
          """
      case .trino:
        return """
          trino --server \(endpoint) --catalog awsdatacatalog --schema default
          python3 -c 'import trino; c = trino.dbapi.connect(host="\(place.split(separator: ":").first ?? "127.0.0.1")", port=\(place.split(separator: ":").last ?? "8090"), user="me", catalog="awsdatacatalog", schema="default").cursor(); print(c.execute("SELECT 1").fetchall())'
          """
      }
    }
  }

  @Option(help: "Where sqlq serve listens.") var endpoint = "http://127.0.0.1:8090"
  @Option(help: "The region that clients are told.") var region = "us-east-1"
  @Option(help: "The key of sqlq serve --access-key; without one any will do.") var accessKey = "sqlq"
  @Option(help: "Its secret.") var secretKey = "sqlq"
  @Argument(help: "The client.") var client: Client

  func run() throws {
    FileHandleText.print(client.lines(endpoint, region, key: accessKey, secret: secretKey), to: 1)
  }
}
