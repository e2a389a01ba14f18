// Loaded before a worker's entry: where a test would have the process killed, its event loop stands still for ever.

import { isMainThread } from 'node:worker_threads'

const kill = process.kill.bind(process)

process.kill = (pid, signal) => {
  if (!isMainThread || pid !== process.pid || signal !== 'SIGKILL') return kill(pid, signal)
  for (;;);
}
