/** A registry in a bucket can be checked, mended and converted. */

import { S3_BINARY, S3_KIND, withS3Server } from '../storage/s3-server.ts';
import { describeWith } from '../support/shared.ts';
import { upkeepContract } from './upkeep-contract.ts';

const suite = describeWith(`the S3 server ${S3_KIND}`, S3_BINARY);

const server = S3_BINARY === undefined || S3_BINARY === '' ? undefined : withS3Server();

upkeepContract({
  name: `a bucket on ${S3_KIND}`,
  describe: suite,
  faults: 'one',
  fresh: async () => {
    if (server === undefined) throw new Error('the server is not running');
    return await server().open(await server().makeBucket());
  },
});
