import { Argument } from 'commander';
import { type AddCommands, addCommand, type Run } from '../command.ts';
import { showDiagnosis } from '../diagnosis.ts';

/** `doctor`: what is between the gateway and its identity provider. */
export const addEntraCommands: AddCommands = (program, on) => {
  addCommand(program, 'doctor', {
    summary: 'Check that the identity provider is set up as the gateway needs it; changes nothing',
    examples: ['mcp-gateway doctor entra', 'mcp-gateway doctor entra --json'],
  })
    .addArgument(new Argument('<provider>', 'the identity provider').choices(['entra']))
    .action(on<unknown>(doctor));
};

/** Exit code 1 when something fails, 0 when there is nothing worse than a warning. */
async function doctor({ world, output }: Run): Promise<number> {
  const diagnosis = await world.runDoctor();
  output.result(diagnosis, (paint) => showDiagnosis(diagnosis, paint));
  return diagnosis.healthy ? 0 : 1;
}
