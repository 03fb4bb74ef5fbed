/** `pkg impact` on a real S3 server. */
import { S3_BINARY, S3_KIND, withS3Server } from '../storage/s3-server.ts';
import { describeWith } from '../support/shared.ts';
import { describeImpact } from './impact-contract.ts';
import { describeManyPackages } from './many-packages-contract.ts';

describeWith(`the S3 server ${S3_KIND}`, S3_BINARY)(`a bucket on ${S3_KIND}`, () => {
  const server = withS3Server();
  const fresh = async () => await server().open(await server().makeBucket());
  describeImpact(fresh);
  describeManyPackages(fresh);
});
