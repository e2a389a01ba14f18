// A process for one job, which ends in a way of its own: `says` is its word, and where it `lingers` it does not end by itself.

const { says, lingers } = JSON.parse(process.argv[2])

process.on('SIGTERM', () => undefined)
if (lingers) setInterval(() => undefined, 60_000)
if (says !== undefined) process.send(says)
if (!lingers) process.disconnect()
