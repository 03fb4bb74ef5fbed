/** The README keeps its word: its lines work when they are pasted, and it names no command or flag that is not there. */
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli, runJson } from '../support/cli.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** The package that the README's lines are about. */
const NAME = 'quilt/open_images';

const readReadme = async () =>
  (await readFile(join(ROOT, 'README.md'), 'utf8')).replaceAll('\r\n', '\n');

/** The lines of every fenced block of shell below a heading, or of all. */
function shellBlocks(readme: string, heading = ''): readonly (readonly string[])[] {
  const from = heading === '' ? 0 : readme.indexOf(`\n## ${heading}`);
  if (from < 0) throw new Error(`the README has no heading ${heading}`);
  const next = readme.indexOf('\n## ', from + 1);
  const section = heading === '' ? readme : readme.slice(from, next < 0 ? undefined : next);
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) =>
    block.split('\n').filter((line) => line.trim() !== ''),
  );
}

/** What the lines call, without comments: a call each, from its command on. */
function callsIn(lines: readonly string[]): readonly string[] {
  return lines
    .map((line) => line.replace(/\s#.*$/, ''))
    .flatMap((line) => [
      ...line.matchAll(/(?:^|[\s|"'])pkg (?=[a-z])(.*?)(?=\s\|\s|\s{2,}pkg |$)/g),
    ])
    .map(([, call = '']) => call);
}

/** `pkg …` in running text. */
function spansIn(readme: string): readonly string[] {
  const prose = readme.replace(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/`pkg\s+([a-z][^`]*)`/g)].map(([, call = '']) =>
    call.replace(/\s+/g, ' '),
  );
}

describe('the README', () => {
  let help: (command: string) => Promise<string>;
  let groups: readonly string[];

  beforeAll(async () => {
    const known = new Map<string, Promise<string>>();
    help = (command) => {
      const found =
        known.get(command) ??
        runCli([...command.split(' '), '--help']).then(({ stdout, exitCode }) => {
          if (exitCode !== 0)
            throw new Error(`pkg ${command} --help ended with ${String(exitCode)}`);
          return stdout;
        });
      known.set(command, found);
      return found;
    };
    const { stdout } = await runCli(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name = '']) => name);
    const texts = await Promise.all(
      commands.map(async (name) => [name, await help(name)] as const),
    );
    groups = texts.filter(([, text]) => text.includes('[command]')).map(([name]) => name);
  });

  /** The command that a call names, of two words in a group. */
  const commandOf = (call: string): string => {
    const [word = '', second = ''] = call.split(/\s+/);
    return groups.includes(word) ? `${word} ${second}` : word;
  };

  it('names only commands that are there', async () => {
    const readme = await readReadme();
    const calls = [...shellBlocks(readme).flatMap(callsIn), ...spansIn(readme)];
    const commands = [...new Set(calls.map(commandOf))];
    expect(commands.length).toBeGreaterThan(20);
    const missing: string[] = [];
    for (const command of commands) {
      if (!(await help(command)).startsWith(`Usage: pkg ${command} `)) missing.push(command);
    }
    expect(missing).toEqual([]);
  });

  it('names only flags that the command has', async () => {
    const readme = await readReadme();
    const calls = [...shellBlocks(readme).flatMap(callsIn), ...spansIn(readme)];
    const missing: string[] = [];
    for (const call of new Set(calls)) {
      const text = await help(commandOf(call));
      for (const [flag] of call.matchAll(/(?<=\s)--[a-z][a-z-]*/g)) {
        if (!new RegExp(`(?:^|[\\s,])${flag}(?:[\\s,]|$)`, 'm').test(text))
          missing.push(`${call}: ${flag}`);
      }
    }
    expect(missing).toEqual([]);
  });

  describe('on reproducing', () => {
    let work: string;

    beforeAll(async () => {
      work = await temporaryFolder();
      const manifest = join(work, 'manifests', 'sample.yaml');
      await cp(join(ROOT, 'manifests'), join(work, 'manifests'), { recursive: true });
      await rm(join(work, 'manifests', 'sample.lock.json'));
      const text = await readFile(manifest, 'utf8');
      await writeFile(
        manifest,
        text
          .replace('name: quilt/open_images_sample', `name: ${NAME}`)
          .replace('epochs: 16', 'epochs: 2'),
      );
      const store = ['--store', join(work, 'builder')];
      await runJson(['build', manifest, ...store]);
      await runJson(['push', NAME, ...store, '--registry', join(work, 'registry')]);
      await mkdir(join(work, 'programs'));
      const script = `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'dist/cli/bin.cjs')}" "$@"\n`;
      await writeFile(join(work, 'programs', 'pkg'), script, { mode: 0o755 });
    });

    it('has four lines that work when they are pasted into an empty folder', async () => {
      const [lines = []] = shellBlocks(await readReadme(), 'Reproduce');
      expect(lines).toHaveLength(4);
      const folder = join(work, 'empty');
      await mkdir(folder);
      const env = {
        HOME: folder,
        PATH: [join(work, 'programs'), process.env['PATH'] ?? ''].join(delimiter),
        PKG_REGISTRY: join(work, 'registry'),
        PKG_STORE: join(work, 'somebody-else'),
        PKG_CONFIG: join(work, 'configuration'),
      };
      const outcomes = lines.map((line) => {
        const { status, stdout, stderr } = spawnSync('bash', ['-c', line], {
          cwd: folder,
          env,
          encoding: 'utf8',
        });
        return { line, status, stdout, stderr: status === 0 ? '' : stderr };
      });
      expect(outcomes.map(({ line, status, stderr }) => ({ line, status, stderr }))).toEqual(
        lines.map((line) => ({ line, status: 0, stderr: '' })),
      );
      for (const { stdout } of outcomes) expect(stdout).not.toBe('');
    });
  });
});
