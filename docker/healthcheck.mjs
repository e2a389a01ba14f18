// HEALTHCHECK of both images, which have no curl: exit 0 when this process is up, 1 while it starts or does not answer.
// What all processes share (a Redis that takes no writes, a full disk) is no reason to end one: its answers tell clients to
// wait. `/health/ready` and the alerts show it.

const { OPS_PORT } = process.env
try {
  const response = await fetch(`http://127.0.0.1:${OPS_PORT || 9464}/health/ready`, {
    signal: AbortSignal.timeout(3_000),
  })
  const { reason } = await response.json()
  process.exitCode = reason === 'starting' ? 1 : 0
} catch {
  process.exitCode = 1 // nobody listens
}
