// Which curves are shown together.

import type { Point, Series } from '../watch/recorder.ts'
import type { Curve, Plot } from './plot.ts'
import type { Report } from './report.ts'

const POST_P95_MS = 500

export function plotsOf(report: Report): Plot[] {
  const { series } = report
  const family = (prefix: string, names?: (name: string) => boolean) => curves(series, prefix, names)
  const lanes = (name: string) => name !== 'notify' && name !== 'maintain'
  const plots: Plot[] = [
    { title: 'Arrivals and completed uploads', unit: 'clients per second', curves: family('people') },
    { title: 'Running uploads', unit: 'clients that are sending', curves: family('now') },
    { title: 'Bytes', unit: 'MiB per second', curves: family('MiB a second') },
    { title: 'Latency, p95 of each second', unit: 'ms', curves: family('p95 ms'), limit: POST_P95_MS },
    {
      title: 'Last byte to verdict',
      unit: 'seconds, by the moment of the last byte',
      curves: family('verdict s'),
    },
    {
      title: 'Last byte to ready',
      unit: 'seconds, by the moment of the last byte',
      curves: family('ready s'),
    },
    { title: 'Waiting jobs', unit: 'by lane', curves: family('waiting', lanes) },
    { title: 'Oldest waiting job', unit: 'seconds, by lane', curves: family('oldest s', lanes) },
    { title: 'CPU', unit: '% of one core, with child processes', curves: family('CPU %') },
    { title: 'Memory', unit: 'MiB resident, a worker without its media tools', curves: family('RSS MiB') },
  ]
  return plots.filter((plot) => plot.curves.length > 0)
}

function curves(series: Series, prefix: string, takes: (name: string) => boolean = () => true): Curve[] {
  return Object.entries(series).flatMap(([key, points]: [string, Point[]]) => {
    const name = key.slice(prefix.length + 2)
    return key.startsWith(`${prefix}: `) && takes(name) ? [{ name, points }] : []
  })
}

/** Last second of all curves, for the shared x axis. */
export function lastSecond({ series }: Report): number {
  return Math.max(...Object.values(series).map((points) => points.at(-1)?.[0] ?? 0), 1)
}
