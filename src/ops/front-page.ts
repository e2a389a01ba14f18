// The page at the root of the operations listener: links to everything.

const LINKS: readonly [path: string, words: string][] = [
  ['/health/live', 'the process is alive'],
  ['/health/ready', 'ready for traffic'],
  ['/health/details', 'Redis, object store, disk, queues'],
  ['/metrics', 'for Prometheus'],
  ['/console', 'dashboard: arrivals, queues, support look-up'],
  ['/console/runbook', 'what to do when an alert fires'],
  ['/control', 'control settings'],
  ['/queues', 'the queue dashboard'],
]

export const FRONT_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Songngan operations</title>
<h1>Songngan ส่งงาน</h1>
<ul>
${LINKS.map(([path, words]) => `<li><a href="${path}">${path}</a> ${words}`).join('\n')}
</ul>
</html>
`
