/**
 * A stage: a space of its own, a real host that serves it, and real processes that act on it. All of it is gone when
 * the test has ended, however it ended.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { until } from './until.js';

/** The command and the cast of the tests, as `cargo xtask page` built them. */
const PROGRAMS = process.env.MEMLANE_PROGRAMS ?? '';
const MEMLANE = join(PROGRAMS, 'memlane');
const ACTOR = join(PROGRAMS, 'examples', 'actor');

/** Shared memory is where regions live in earnest. */
const SHARED_MEMORY = '/dev/shm';

export const READ_WRITE = 'read-write-token-of-the-page-tests';
export const READ_ONLY = 'read-only-token-of-the-page-tests';

const run = promisify(execFile);

/** A process that was started and says lines on its standard output. */
export class Actor {
  /** @type {string[]} */
  lines = [];

  /** @param {import('node:child_process').ChildProcess} child */
  constructor(child) {
    this.child = child;
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line));
    child.stderr?.on('data', (data) => process.stderr.write(data));
    this.ended = once(child, 'exit');
  }

  get pid() {
    if (this.child.pid === undefined) throw new Error('the process did not start');
    return this.child.pid;
  }

  /** Waits for a line that begins so, and gives it back. @param {string} beginning */
  async says(beginning) {
    return until(`a line that begins with \`${beginning}\``, () => {
      if (this.child.exitCode !== null) throw new Error(`it ended, having said: ${this.lines.join('\n')}`);
      return this.lines.find((line) => line.startsWith(beginning));
    });
  }

  /** Ends it at once, whatever it is doing, and waits for its end. @param {NodeJS.Signals} signal */
  async kill(signal = 'SIGKILL') {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal);
      await this.ended;
    }
  }
}

/** A host process of a stage. */
export class Host {
  /** @param {Stage} stage @param {Actor} actor @param {{port: number}} told */
  constructor(stage, actor, told) {
    this.stage = stage;
    this.actor = actor;
    this.port = told.port;
  }

  get pid() {
    return this.actor.pid;
  }

  /** What a person would be given to open. @param {string | null} token */
  url(token = READ_WRITE) {
    return `http://127.0.0.1:${this.port}/${token === null ? '' : `#token=${token}`}`;
  }

  kill() {
    return this.actor.kill();
  }

  /** Another process in its place: same port, same tokens. */
  async restart() {
    await this.kill();
    const next = await this.stage.host({ port: this.port });
    this.actor = next.actor;
  }
}

export class Stage {
  /** @type {Actor[]} */
  #actors = [];

  constructor() {
    this.directory = mkdtempSync(join(SHARED_MEMORY, 'memlane-page-'));
    this.environment = { ...process.env, MEMLANE_DIR: this.directory };
  }

  /** A path for a file of the test; not among the regions. @param {string} name */
  file(name) {
    this.#files ??= mkdtempSync(join(SHARED_MEMORY, 'memlane-page-files-'));
    return join(this.#files, name);
  }

  /** @type {string | undefined} */
  #files;

  /** Runs the command to its end, and gives back what it printed. @param {string[]} words */
  async memlane(...words) {
    const { stdout } = await run(MEMLANE, words, { env: this.environment, maxBuffer: 1 << 26 });
    return stdout;
  }

  /** What the command says of a region or a listing. @param {string[]} words */
  async told(...words) {
    return JSON.parse(await this.memlane(...words, '--json'));
  }

  /** Starts the command, and leaves it running. @param {string[]} words */
  start(...words) {
    return this.#spawn(MEMLANE, words);
  }

  /** Starts an actor of the tests (examples/actor.rs). @param {string[]} words */
  actor(...words) {
    return this.#spawn(ACTOR, words);
  }

  /** @param {string} program @param {string[]} words */
  #spawn(program, words) {
    const child = spawn(program, words, { env: this.environment, stdio: ['pipe', 'pipe', 'pipe'] });
    const actor = new Actor(child);
    this.#actors.push(actor);
    return actor;
  }

  /** Starts a host, and returns when it serves. @param {{port?: number, more?: string[]}} options */
  async host({ port = 0, more = [] } = {}) {
    const tokens = this.file('tokens');
    writeFileSync(tokens, `read-write ${READ_WRITE}\nread-only ${READ_ONLY}\n`, { mode: 0o600 });
    const actor = this.start('host', '--json', '--listen', `127.0.0.1:${port}`, '--token-file', tokens, ...more);
    return new Host(this, actor, JSON.parse(await actor.says('{')));
  }

  async clear() {
    await Promise.all(this.#actors.map((actor) => actor.kill()));
    for (const directory of [this.directory, this.#files]) {
      if (directory) rmSync(directory, { recursive: true, force: true });
    }
  }
}
