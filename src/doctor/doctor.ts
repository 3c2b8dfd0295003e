/** `pgcascade doctor`: looks at a database as the configuration sees it, and tells what would not work. It changes nothing. */
import type { Config } from '../config/schema.js';
import { graphOfTold } from '../graph/by-names.js';
import { readAnswer } from '../graph/catalog/answer.js';
import { catalogQuestion } from '../graph/catalog/question.js';
import type { Graph } from '../graph/graph.js';
import { mergeGraph } from '../graph/merge.js';
import { keyQuestion } from '../graph/told/question.js';
import { type Ask, asking, isUnknownToServer, type WatchedDatabase } from '../graph/watch/connection.js';
import {
  answeredFamily,
  familyNamed,
  isSentInSteps,
  type Recognition,
  reasonOf,
  VERSION_QUESTION,
  WITHOUT_VERSION,
} from '../profiles/recognise.js';
import { relationsWithFiles } from '../schema-files/file-relations.js';
import type { Finding } from './finding.js';
import {
  configurationFindings,
  indexFindings,
  performed,
  refusedFindings,
  triggerFindings,
} from './from-graph.js';
import { guaranteeInWords, guaranteeOf } from './guarantees.js';
import { orphanFindings } from './orphans.js';
import { rightFindings } from './rights.js';

/** What was seen of one database. */
export interface Report {
  /** As messages name it. */
  readonly database: string;
  /** As the server names itself. */
  readonly server: string;
  readonly role: string;
  /** The number of foreign keys, by who performs their action. Nobody performs one that is not enforced and not configured. */
  readonly keys: { readonly proxy: number; readonly server: number; readonly nobody: number };
  /** Problems first. */
  readonly findings: readonly Finding[];
  readonly holds: {
    readonly guard: Config['cascade']['guard'];
    readonly locks: Config['cascade']['locks'];
    readonly text: string;
  };
}

/**
 * @param database the role of its account is whose rights are looked at
 * @throws the error of the system or of the server; UnreadableAnswer; SchemaFileError
 */
export function examine({ cascade, profile }: Config, database: WatchedDatabase): Promise<Report> {
  const { guard, locks } = cascade;
  return asking(database, async (ask) => {
    const named = familyNamed(profile);
    // Such a server need not know the question.
    const isOther = named !== undefined && named.family.graph !== 'pg_constraint';
    const server = isOther ? named.server : await textOf(ask, VERSION_QUESTION);
    const role = await textOf(ask, 'SELECT CURRENT_USER');
    const found = named ?? answeredFamily(server, WITHOUT_VERSION);
    const seen =
      found.family.strategy === 'single' && !found.withoutCatalog
        ? await findings(await readGraph(cascade, ask), cascade, role, ask)
        : await findingsThere(found, cascade, ask);
    return {
      database: database.name,
      server,
      role,
      ...seen,
      holds: { guard, locks, text: guaranteeInWords(guaranteeOf(guard, locks)) },
    };
  });
}

async function findings(
  graph: Graph,
  cascade: Config['cascade'],
  role: string,
  ask: Ask,
): Promise<Pick<Report, 'keys' | 'findings'>> {
  const { triggers } = cascade;
  const keys = performed(graph);
  const found = [
    ...configurationFindings(graph, cascade),
    ...(await refusedFindings(graph, cascade)),
    ...(await orphanFindings(graph.keys, ask)),
    ...(await rightFindings(keys, cascade, role, ask)),
    ...indexFindings(graph),
    ...(triggers === 'pass' ? [] : triggerFindings(graph, triggers === 'reject')),
  ];
  return {
    keys: counted(graph),
    findings: [...found.filter(isProblem), ...found.filter((finding) => !isProblem(finding))],
  };
}

function counted({ keys }: Graph): Report['keys'] {
  const count = (wanted: 'proxy' | 'server' | 'nobody') =>
    keys.filter(({ performer }) => performer === wanted).length;
  return { proxy: count('proxy'), server: count('server'), nobody: count('nobody') };
}

/** What is found on another server than PostgreSQL: its keys alone are looked at, where it tells of them. */
async function findingsThere(
  found: Recognition,
  cascade: Config['cascade'],
  ask: Ask,
): Promise<Pick<Report, 'keys' | 'findings'>> {
  const { declared, files, overrides, relations: own, strategy } = cascade;
  const question = found.withoutCatalog ? undefined : keyQuestion(found.family);
  const answer = question && (await textOf(ask, question.sql).catch(unlessUnknown));
  if (question === undefined || answer === undefined)
    return {
      keys: { proxy: 0, server: 0, nobody: 0 },
      findings: [otherServer(found, strategy, 'nothing else')],
    };
  const told = question.read(Buffer.from(answer));
  const settings = { declared, overrides, relations: await relationsWithFiles(own, files) };
  const graph = await graphOfTold(told, settings, found.family.plain.ignoresCase);
  const seen = [...configurationFindings(graph, cascade), ...(await refusedFindings(graph, cascade))];
  return {
    keys: counted(graph),
    findings: [
      ...seen.filter(isProblem),
      otherServer(found, strategy, 'nothing but its keys'),
      ...seen.filter((each) => !isProblem(each)),
    ],
  };
}

export function isProblem({ level }: Finding): boolean {
  return level === 'problem';
}

/** The graph as `serve` makes it of this database and this configuration. */
async function readGraph(
  { declared, overrides, relations: own, files }: Config['cascade'],
  ask: Ask,
): Promise<Graph> {
  const relations = await relationsWithFiles(own, files);
  const question = { names: [], fingerprint: false, catalog: true, server: false };
  const { catalog } = await readAnswer(await textOf(ask, catalogQuestion(question, relations)));
  return mergeGraph(catalog ?? { relations: [], keys: [], configured: [] }, {
    declared,
    overrides,
    relations,
  });
}

/** The one value that a query gives. */
async function textOf(ask: Ask, sql: string): Promise<string> {
  const [[value] = []] = await ask(sql);
  return String(value);
}

/** A server that does not know the question has the keys of the configuration alone. */
function unlessUnknown(error: unknown): undefined {
  if (!isUnknownToServer(error)) throw error;
}

/** @param looked what was looked at, beside what the server is: `nothing else` */
function otherServer(found: Recognition, strategy: Config['cascade']['strategy'], looked: string): Finding {
  const isSent = isSentInSteps(found.family, strategy);
  const what = isSent
    ? `a cascade is carried out there by several statements, and ${looked} was looked at`
    : 'nothing cascades there';
  return {
    level: isSent ? 'note' : 'problem',
    check: 'server',
    text: `The server is ${found.server}, and ${reasonOf(found)}: ${what}.`,
    remedy: null,
  };
}
