// HEALTHCHECK of both images, which have no curl: exit 0 when this process is ready, 1 otherwise.
// A Redis or S3 that is away leaves it ready: that is answered by the service itself.

const { OPS_PORT } = process.env
try {
  const response = await fetch(`http://127.0.0.1:${OPS_PORT || 9464}/health/ready`, {
    signal: AbortSignal.timeout(3_000),
  })
  process.exitCode = response.status === 200 ? 0 : 1
} catch {
  process.exitCode = 1 // nobody listens
}
