// Loaded before a worker's entry: where a test would have a process killed that the worker has started for one job, the worker
// is killed first, as where a container is stopped.

const kill = process.kill.bind(process)

process.kill = (pid, signal) => {
  if (process.send !== undefined && pid === process.pid && signal === 'SIGKILL') kill(process.ppid, signal)
  return kill(pid, signal)
}
