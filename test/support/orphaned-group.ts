// As orphaned.ts; but killed is the whole group of the worker, as by a supervisor or a terminal.

const kill = process.kill.bind(process)

process.kill = (pid, signal) => {
  const isApart = process.send !== undefined && pid === process.pid && signal === 'SIGKILL'
  return kill(isApart ? -process.ppid : pid, signal)
}
