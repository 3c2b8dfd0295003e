/** The examples are what their programs take, and what pgcascade takes. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { probes } from '../../src/admin/probes.js';
import { startAdmin } from '../../src/admin/server.js';
import { parseArguments } from '../../src/cli/arguments.js';
import { parseAddress } from '../../src/config/address.js';
import { readConfig } from '../../src/config/load.js';
import { parseDuration } from '../../src/config/values/values.js';
import { workspace } from '../config/workspace.js';
import { createAuthority } from '../support/certificates.js';
import { files, read } from './documents.js';

const image = Object.fromEntries(
  [...read('Dockerfile').matchAll(/\b(PGCASCADE_\w+)=(\S+)/g)].map(([, name = '', value]) => [name, value]),
);
/** What pgcascade reads from variables; it throws where one of them is not known. */
const configOf = (env: Readonly<Record<string, string>>) =>
  readConfig({ flags: {}, env: { ...image, ...env }, cwd: workspace() }).config;
const drain = readConfig({ flags: {}, env: {}, cwd: '/nowhere' }).config.limits.drain_timeout;

describe('examples/compose.yaml', () => {
  const { services } = parse(read('examples/compose.yaml'));

  test('gives pgcascade a configuration that it takes, and the application its port', () => {
    const config = configOf(services.pgcascade.environment);
    const [address = ''] = config.listen;
    expect(new URL(services.app.environment.DATABASE_URL)).toMatchObject({
      hostname: 'pgcascade',
      port: String(parseAddress(address).port),
    });
    expect(config.upstream).toMatchObject({ hosts: [{ kind: 'tcp', host: 'db' }] });
    expect(services).toHaveProperty('db');
  });

  test('builds the image of this repository, and gives it time to drain', () => {
    expect(
      existsSync(new URL(join('../../examples', services.pgcascade.build, 'Dockerfile'), import.meta.url)),
    ).toBe(true);
    expect(parseDuration(services.pgcascade.stop_grace_period)).toBeGreaterThan(drain);
  });

  test('waits for services that tell of their health', () => {
    expect(services.app.depends_on).toEqual({ pgcascade: { condition: 'service_healthy' } });
    expect(services.pgcascade.depends_on).toEqual({ db: { condition: 'service_healthy' } });
    expect(read('Dockerfile')).toContain('HEALTHCHECK');
    expect(services.db.healthcheck.test).toContain('pg_isready');
  });
});

describe('examples/kubernetes.yaml', () => {
  const { template } = parse(read('examples/kubernetes.yaml')).spec;
  const [sidecar] = template.spec.initContainers;
  const [app] = template.spec.containers;
  const variables = (container: { readonly env: readonly { name: string; value: string }[] }) =>
    Object.fromEntries(container.env.map(({ name, value }) => [name, value]));

  test('gives pgcascade a configuration that it takes, in the pod alone, and the application its address', () => {
    const { listen } = configOf(variables(sidecar));
    expect(listen).toEqual([new URL(variables(app).DATABASE_URL ?? '').host]);
    expect(sidecar.restartPolicy).toBe('Always');
  });

  test('probes where pgcascade answers', async () => {
    const { listen } = configOf(variables(sidecar)).admin;
    expect(sidecar.ports).toEqual([{ name: 'admin', containerPort: parseAddress(listen ?? '').port }]);
    const state = { started: () => true, ready: () => ({ ok: true, reason: 'ready' }) };
    const admin = await startAdmin('127.0.0.1:0', { probes: probes(state) });
    onTestFinished(() => admin.close());
    for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      const { path, port } = sidecar[name].httpGet;
      expect(port).toBe('admin');
      expect((await fetch(`http://${admin.address}${path}`)).status, path).toBe(200);
    }
  });

  test('gives preStop and the drain their time', () => {
    const pause = app.lifecycle.preStop.sleep.seconds * 1000;
    expect(template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(pause + drain);
  });
});

describe('examples/compose-tls.yaml', () => {
  const { services, secrets, configs } = parse(read('examples/compose-tls.yaml'));
  const { environment } = services.pgcascade;

  test('gives pgcascade a configuration that it takes, and TLS on both ways', async () => {
    const config = await withSecrets(environment);
    expect(config).toMatchObject({
      tls: { mode: 'require' },
      auth: { mode: 'proxy' },
      upstream: { hosts: [{ host: 'db', sslmode: 'verify-full' }] },
    });
    const url = new URL(services.app.environment.DATABASE_URL);
    expect(url.hostname).toBe('pgcascade');
    expect(url.searchParams.get('sslmode')).toBe('verify-full');
  });

  test('gives each service the secrets that it names, and no other', () => {
    for (const service of [services.app, services.pgcascade, services.db]) {
      const { secrets: given, ...rest } = service;
      const named = [...JSON.stringify(rest).matchAll(/\/run\/secrets\/([\w.-]+)/g)].map(([, name]) => name);
      expect([...new Set(named)].sort()).toEqual([...given].sort());
      for (const name of given) expect(secrets).toHaveProperty([name]);
    }
  });

  test('lets nobody into the database without TLS and a password', () => {
    const remote = configs['pg_hba.conf'].content.split('\n').filter((line: string) => /^host/.test(line));
    expect(remote).toEqual(['hostssl all all all scram-sha-256']);
  });
});

describe('examples/kustomize', () => {
  const { resources, configMapGenerator } = parse(read('examples/kustomize/kustomization.yaml'));
  const deployment = parse(read('examples/kustomize/deployment.yaml'));
  const service = parse(read('examples/kustomize/service.yaml'));
  const [container] = deployment.spec.template.spec.containers;

  test('has the files that it names', () => {
    for (const name of [...resources, ...configMapGenerator[0].files])
      expect(files(), name).toContain(`examples/kustomize/${name}`);
  });

  test('is what the schema of Kubernetes takes', () => {
    const disruption = parse(read('examples/kustomize/disruption.yaml'));
    for (const made of [
      new Deployment(deployment),
      new Service(service),
      new PodDisruptionBudget(disruption),
      new Deployment(parse(read('examples/kubernetes.yaml'))),
    ])
      made.validate();
  });

  test('gives pgcascade a configuration that it takes, and the service its port', async () => {
    const config = await withSecrets({}, read('examples/kustomize/pgcascade.yaml'));
    expect(config).toMatchObject({
      tls: { mode: 'require' },
      upstream: { hosts: [{ sslmode: 'verify-full' }] },
    });
    const ports = new Map(
      container.ports.map((each: { name: string; containerPort: number }) => [each.name, each.containerPort]),
    );
    expect(parseAddress(config.listen[0] ?? '').port).toBe(ports.get(service.spec.ports[0].targetPort));
    expect(parseAddress(config.admin.listen ?? '').port).toBe(ports.get('admin'));
  });

  test('gives preStop and the drain their time', () => {
    const pause = container.lifecycle.preStop.sleep.seconds * 1000;
    expect(deployment.spec.template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(pause + drain);
  });
});

/** What pgcascade reads of variables and a file, where the files that they name under /run and /etc are there. */
async function withSecrets(env: Readonly<Record<string, string>>, file?: string) {
  const authority = await createAuthority('examples');
  const server = await authority.server([{ type: 'dns', value: 'pgcascade' }]);
  const directory = workspace({
    'ca.crt': authority.cert,
    crt: server.cert,
    key: server.key,
    'users.txt': '"app" "secret"',
  });
  for (const name of ['key', 'users.txt']) chmodSync(join(directory, name), 0o400);
  const there = (text: string) =>
    text
      .replaceAll(/\/run\/secrets\/pgcascade\.|\/etc\/pgcascade\/tls\/tls\./g, `${directory}/`)
      .replaceAll('/run/secrets', directory);
  const named = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, there(value)]));
  if (file === undefined) return configOf(named);
  writeFileSync(join(directory, 'pgcascade.yaml'), there(file));
  return configOf({ ...named, PGCASCADE_CONFIG: join(directory, 'pgcascade.yaml') });
}

describe('examples/pgcascade.service', () => {
  const unit = read('examples/pgcascade.service');
  const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

  test('starts pgcascade with flags that it takes', () => {
    const [node, program, ...flags] = setting('ExecStart').split(' ');
    expect([node, program]).toEqual(['/usr/bin/node', '/opt/pgcascade/dist/cli.js']);
    expect(parseArguments(flags)).toEqual({
      command: 'serve',
      flags: { config: '/etc/pgcascade/pgcascade.yaml' },
    });
  });

  test('knows the exit codes, and gives the drain its time', () => {
    const codes = [...read('docs/operations.md').matchAll(/^\| (\d+)(?:, \d+)? \| (.*) \|$/gm)];
    const meaning = new Map(codes.map(([, code, text]) => [code, text]));
    expect(meaning.get(setting('SuccessExitStatus'))).toContain('SIGTERM');
    expect(meaning.get(setting('RestartPreventExitStatus'))).toBe('bad usage or configuration');
    expect(Number(setting('TimeoutStopSec')) * 1000).toBeGreaterThan(drain);
  });

  test.skipIf(!existsSync('/usr/bin/systemd-analyze'))('is what systemd takes', () => {
    // systemd looks whether the program is there.
    const directory = workspace({ 'pgcascade.service': unit.replace('/usr/bin/node', process.execPath) });
    const options = { encoding: 'utf8', stdio: 'pipe' } as const;
    expect(execFileSync('systemd-analyze', ['verify', `${directory}/pgcascade.service`], options)).toBe('');
  });
});
