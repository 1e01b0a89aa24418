// The processes: versions, CPU, memory, configuration, the audit log, and Envoy's own process.

import type { Dashboard } from './dashboard.ts'
import { linkTo } from './links.ts'
import { stat, table, timeline, timeSeries } from './panels.ts'
import { envoySeries, grown, orZero, rate, series, sum } from './queries.ts'

// Other programs with the same client library have these metrics too: only those of processes of Countersign.
const own = (metric: string): string =>
  `(${series(metric)} and on (job, instance) ${series('countersign_build_info')})`
const ownRate = (metric: string): string =>
  `(${rate(series(metric))} and on (job, instance) ${series('countersign_build_info')})`
const PROCESS = 'job, pod, instance'
const LEGEND = '{{job}} {{pod}} {{instance}}'

const atAGlance = [
  stat({
    title: 'Versions in use',
    about:
      'Different versions of Countersign. More than 1 for long: a rollout has not ended ("Processes" has the versions).',
    unit: 'none',
    thresholds: [[2, 'yellow']],
    query: `count(count by (version) (${series('countersign_build_info')}))`,
  }),
  stat({
    title: 'Restarts, in this range',
    about:
      'Starts of processes. Without a rollout: the log, and `kubectl describe pod` for `OOMKilled`.',
    unit: 'none',
    decimals: 0,
    thresholds: [[1, 'yellow']],
    query: `sum(changes(${series('process_start_time_seconds')}[$__range]))`,
  }),
  stat({
    title: 'Event loop lag, p99',
    about:
      'Of the busiest process: it delays every check there. Above 0.1 s: add a process (docs/operate/sizing.md, "CPU").',
    unit: 's',
    thresholds: [
      [0.05, 'yellow'],
      [0.1, 'red'],
    ],
    query: `max(${own('nodejs_eventloop_lag_p99_seconds')})`,
  }),
  stat({
    title: 'Changes not in force',
    about:
      'Processes that refused the last change of their configuration: docs/operate/troubleshooting.md, "A change has no effect".',
    unit: 'none',
    thresholds: [[1, 'red']],
    query: `sum(1 - ${series('countersign_config_last_reload_successful')})`,
  }),
  stat({
    title: 'Audit events lost',
    about:
      'In this range. Above 0: the audit log cannot be written, and requests are refused (docs/operate/audit-files.md, "When an event cannot be written").',
    unit: 'none',
    decimals: 0,
    thresholds: [[1, 'red']],
    query: orZero(sum(grown(series('countersign_audit_events_total', 'result="lost"')))),
  }),
  stat({
    title: 'Targets that are down',
    about: 'Processes of Countersign that Prometheus cannot read.',
    unit: 'none',
    thresholds: [[1, 'red']],
    query:
      'count(up{job=~".*countersign.*", namespace=~"$namespace", pod=~"$pod", instance=~"$instance"} == 0) or vector(0)',
  }),
]

const processes = [
  table({
    title: 'Processes',
    about: 'Each process with its version and its age.',
    unit: 's',
    query: `time() - max by (job, pod, instance, version, node) (${series('process_start_time_seconds')} * on (job, instance) group_left (version, node) ${series('countersign_build_info')})`,
    columns: { job: 'Job', pod: 'Pod', instance: 'Instance', version: 'Version', node: 'Node.js' },
    value: 'Runs for',
  }),
  timeline({
    title: 'Can be read',
    about: 'Whether Prometheus can read the metrics of each process.',
    query:
      'max by (job, pod, instance) (up{job=~".*countersign.*", namespace=~"$namespace", pod=~"$pod", instance=~"$instance"})',
    legend: LEGEND,
    words: { 0: ['down', 'red'], 1: ['up', 'green'] },
  }),
]

const cpu = [
  timeSeries({
    title: 'CPU',
    about:
      'Cores. authz decides on one; password hashes take further ones. Near 1 for long: add a process.',
    unit: 'none',
    thresholds: [[0.8, 'red']],
    queries: { [LEGEND]: sum(ownRate('process_cpu_seconds_total'), PROCESS) },
  }),
  timeSeries({
    title: 'Event loop lag',
    about: 'How long what is ready waits for its turn: p99, and the longest.',
    unit: 's',
    thresholds: [[0.1, 'red']],
    queries: {
      [`p99: ${LEGEND}`]: `max by (${PROCESS}) (${own('nodejs_eventloop_lag_p99_seconds')})`,
      [`max: ${LEGEND}`]: `max by (${PROCESS}) (${own('nodejs_eventloop_lag_max_seconds')})`,
    },
    links: [linkTo('latency', 'Latency by phase')],
  }),
  timeSeries({
    title: 'Garbage collection',
    about:
      'The share of time that goes to garbage collection. Above 5 %: the heap is nearly full, see "Memory".',
    unit: 'percentunit',
    queries: {
      [`{{kind}}: ${LEGEND}`]: sum(ownRate('nodejs_gc_duration_seconds_sum'), `kind, ${PROCESS}`),
    },
  }),
]

const memory = [
  timeSeries({
    title: 'Memory',
    about:
      'Resident. A steady rise without more cached credentials is a leak: please report it, with a heap snapshot.',
    unit: 'bytes',
    queries: { [LEGEND]: `max by (${PROCESS}) (${own('process_resident_memory_bytes')})` },
  }),
  timeSeries({
    title: 'Heap',
    about: 'What JavaScript uses, and what is reserved for it.',
    unit: 'bytes',
    queries: {
      [`used: ${LEGEND}`]: `max by (${PROCESS}) (${own('nodejs_heap_size_used_bytes')})`,
      [`reserved: ${LEGEND}`]: `max by (${PROCESS}) (${own('nodejs_heap_size_total_bytes')})`,
    },
  }),
  timeSeries({
    title: 'Open files',
    about:
      'Of those that the process may open. Near 100 %: raise the limit (`LimitNOFILE`), or find out which connections stay open.',
    unit: 'percentunit',
    thresholds: [[0.8, 'red']],
    queries: {
      [LEGEND]: `max by (${PROCESS}) (${own('process_open_fds')} / ${series('process_max_fds')})`,
    },
  }),
]

const operation = [
  timeSeries({
    title: 'Age of the configuration',
    about:
      'Since it was loaded. Processes that differ for long have different files, or one refused the change.',
    unit: 's',
    queries: {
      [LEGEND]: `time() - max by (${PROCESS}) (${series('countersign_config_last_reload_success_timestamp_seconds')})`,
    },
  }),
  timeSeries({
    title: 'Reloads that were refused, in this range',
    about: 'The log and the audit log have the problems. `countersign validate` finds them before.',
    unit: 'none',
    queries: { [LEGEND]: sum(grown(series('countersign_config_reload_failures_total')), PROCESS) },
  }),
  timeSeries({
    title: 'gRPC calls that failed',
    about:
      'By method and status code, without OK and without what clients cancelled. `ResourceExhausted`: a limit; `DeadlineExceeded`: see Latency by phase.',
    unit: 'cps',
    queries: {
      '{{grpc_method}}: {{grpc_code}}': sum(
        rate(series('grpc_server_handled_total', 'grpc_code!~"OK|Canceled"')),
        'grpc_method, grpc_code',
      ),
    },
  }),
  timeSeries({
    title: 'gRPC calls',
    about: 'By method: Check is ext_authz, DeltaSecrets is SDS.',
    unit: 'cps',
    queries: { '{{grpc_method}}': sum(rate(series('grpc_server_handled_total')), 'grpc_method') },
  }),
  timeSeries({
    title: 'Audit events',
    about:
      'By result. `lost`: the log cannot be written. `summarised`: refusals of callers without a credential beyond their budget.',
    unit: 'cps',
    queries: { '{{result}}': sum(rate(series('countersign_audit_events_total')), 'result') },
  }),
  timeSeries({
    title: 'Audit events that wait',
    about: 'Not yet written. It grows when the disk is slow; requests wait for it.',
    unit: 'short',
    queries: { [LEGEND]: sum(series('countersign_audit_events_pending'), PROCESS) },
  }),
]

const auditSinks = [
  timeSeries({
    title: 'Audit sinks: records',
    about:
      'By sink and result. `deleted`: the spool was full before the sink took them; `refused`: the sink takes the records before and after.',
    unit: 'cps',
    queries: {
      '{{sink}} {{result}}': sum(
        rate(series('countersign_audit_sink_records_total')),
        'sink, result',
      ),
    },
  }),
  timeSeries({
    title: 'Audit sinks: batches that failed',
    about:
      'They are sent again. The log of authz has the reason (docs/operate/send-audit-events.md).',
    unit: 'cps',
    queries: { '{{sink}}': sum(rate(series('countersign_audit_sink_failures_total')), 'sink') },
  }),
  timeSeries({
    title: 'Audit sinks: oldest record that waits',
    about: 'How far a sink is behind. It grows while the sink does not answer.',
    unit: 's',
    queries: { '{{sink}}': `max by (sink) (${series('countersign_audit_sink_waiting_seconds')})` },
  }),
  timeSeries({
    title: 'Audit sinks: records that wait',
    about: 'They are in the audit file and its rotated files.',
    unit: 'short',
    queries: { '{{sink}}': sum(series('countersign_audit_sink_waiting_records'), 'sink') },
  }),
  timeSeries({
    title: 'Audit sinks: spool',
    about:
      'Bytes that wait, of the sink that is furthest behind, and the bound. At the bound requests are refused, or records deleted (`audit.spool.whenFull`).',
    unit: 'bytes',
    queries: {
      waiting: `max(${series('countersign_audit_sink_waiting_bytes')})`,
      bound: `min(${series('countersign_audit_spool_max_bytes')})`,
    },
  }),
]

const envoy = [
  timeSeries({
    title: 'Envoy: memory',
    about:
      'Allocated. Each identity with a certificate takes about 80 KB (docs/operate/sizing.md).',
    unit: 'bytes',
    queries: {
      '{{pod}} {{instance}}': `max by (pod, instance) (${envoySeries('envoy_server_memory_allocated')})`,
    },
  }),
  timeSeries({
    title: 'Envoy: connections of callers',
    about: 'Open connections to the listeners.',
    unit: 'short',
    queries: {
      '{{envoy_http_conn_manager_prefix}}': sum(
        envoySeries('envoy_http_downstream_cx_active', 'envoy_http_conn_manager_prefix!="admin"'),
        'envoy_http_conn_manager_prefix',
      ),
    },
  }),
  timeSeries({
    title: 'Envoy: runs for',
    about: 'A fall is a restart.',
    unit: 's',
    queries: {
      '{{pod}} {{instance}}': `max by (pod, instance) (${envoySeries('envoy_server_uptime')})`,
    },
  }),
]

/** The dashboard. */
export const runtime: Dashboard = {
  name: 'runtime',
  title: 'Runtime',
  about:
    'Whether the processes have CPU, memory, a current configuration and an audit log that can be written.',
  sections: [
    { title: 'At a glance', panels: atAGlance },
    { title: 'Processes', panels: processes },
    { title: 'CPU', panels: cpu },
    { title: 'Memory and files', panels: memory },
    { title: 'Operation', panels: operation },
    { title: 'Audit sinks', panels: auditSinks },
    { title: 'Envoy', panels: envoy },
  ],
}
