// Loaded before a worker's entry: where a test would have a process killed that the worker has started for one job, it is the
// worker that is killed.

const kill = process.kill.bind(process)

process.kill = (pid, signal) => {
  const isApart = process.send !== undefined && pid === process.pid && signal === 'SIGKILL'
  return kill(isApart ? process.ppid : pid, signal)
}
