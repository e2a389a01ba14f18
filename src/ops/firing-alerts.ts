// The alerts that fire now, as Prometheus says, so that the console shows what the phones of the people on duty show.

/** Of `alerts` of Prometheus' HTTP API: what is used of each. */
type PrometheusAlert = {
  state: string
  labels: { alertname?: string; severity?: string }
  annotations: { summary?: string; runbook?: string }
}

export type FiringAlert = { name: string; severity: string; summary: string; chapter: string | null }

/** `off`: PROMETHEUS_URL is not set. `away`: it did not answer, or not as Prometheus does. */
export type Alerts = { state: 'off' } | { state: 'away'; error: string } | { state: 'on'; firing: FiringAlert[] }

const PATIENCE_MS = 1000
/** The rules of this project have this prefix; others are somebody else's. */
const PREFIX = 'Songngan'

/** Never rejects: the console must show the rest. */
export async function firingAlerts(prometheusUrl: string | undefined): Promise<Alerts> {
  if (prometheusUrl === undefined) return { state: 'off' }
  try {
    const url = `${prometheusUrl.replace(/\/$/, '')}/api/v1/alerts`
    const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`)
    const { data } = (await answer.json()) as { data: { alerts: PrometheusAlert[] } }
    return { state: 'on', firing: data.alerts.flatMap(ownAndFiring) }
  } catch (error) {
    return { state: 'away', error: String(error) }
  }
}

function ownAndFiring({ state, labels, annotations }: PrometheusAlert): FiringAlert[] {
  const { alertname: name = '', severity = '' } = labels
  if (state !== 'firing' || !name.startsWith(PREFIX)) return []
  // `docs/runbook.md#redis-is-lost`: the console serves that page.
  const chapter = /#([\w-]+)$/.exec(annotations.runbook ?? '')?.[1] ?? null
  return [{ name, severity, summary: annotations.summary ?? name, chapter }]
}
