/** The library's face: everything the command line uses, and nothing else. */

export { compareLockfiles, type LockComparison } from './changes/compare-files.ts';
export { comparePackages } from './comparison/compare.ts';
export type { Comparison } from './comparison/comparison.ts';
export { folderSide, revisionSide, type Side } from './comparison/side.ts';
export { convertRegistry } from './conversion/convert.ts';
export { createRegistry } from './conversion/create.ts';
export { deriveCrops } from './derivation/derivation.ts';
export {
  checkEnvironment,
  ENVIRONMENT_KEYS,
  type EnvironmentHere,
  type PinnedFileReader,
} from './environment/environment.ts';
export { formatReproducingDockerfile } from './environment/reproducing-dockerfile.ts';
export { gitCredentials } from './git/credentials.ts';
export type { RegistryFinding } from './inspection/inspection.ts';
export { verifyObjects } from './inspection/verify-package.ts';
export { verifyRegistry } from './inspection/verify-registry.ts';
export {
  type InstallPlan,
  type InstallResult,
  installPackage,
  planPackage,
} from './installation/install.ts';
export { installedEntries, readInstallation } from './installation/installation.ts';
export { LINK_MODES } from './installation/link-method.ts';
export {
  entryUnder,
  type OpenedPackage,
  openInstalled,
  openRevision,
} from './installation/opened-package.ts';
export { receiptCheck } from './installation/receipt-check.ts';
export { selectEntries } from './installation/selection.ts';
export { signatureCheck } from './installation/signature-check.ts';
export { explainFile, findInstalledAround, keyInFolder } from './lineage/explain-file.ts';
export { findImpact } from './lineage/find-impact.ts';
export type { Impact } from './lineage/impact.ts';
export { writeLineage } from './lineage/registry-lineage.ts';
export { type Reindexed, reindexLineage } from './lineage/reindex.ts';
export type { FileLineage } from './lineage/why.ts';
export { isLockfilePath } from './lockfile/lock-file.ts';
export { type Lockfile, parseLockfile } from './lockfile/lockfile.ts';
export { type MergePaths, mergeLockfileFiles } from './merging/merge-files.ts';
export { objectSource } from './objects/objects.ts';
export type { OpenObject } from './objects/sending.ts';
export { POLICIES } from './objects/settings.ts';
export { readFolderCached } from './package/cached-folder.ts';
export { type Package } from './package/package.ts';
export { checkFile, type Finding, verifyFiles } from './package/verify.ts';
export { findBuilt, openBuilt } from './pipeline/built.ts';
export { type InitResult, initManifest } from './pipeline/init.ts';
export { lockManifest, type PipelineContext } from './pipeline/lock.ts';
export { type BuildResult, buildPackage, nowhereElse } from './pipeline/pipeline.ts';
export {
  type FoundModel,
  readBuiltModel,
  readFolderModel,
  readRegistryModel,
} from './prediction/find-model.ts';
export { planPhotos } from './prediction/photos.ts';
export { predictPhotos } from './prediction/predict.ts';
export { isFailure, type PhotoPrediction } from './prediction/prediction.ts';
export type { BuildHost, BuildRecord } from './provenance/build-record.ts';
export {
  aboutRevision,
  type RevisionReport,
  type Signer,
} from './registry/about-revision.ts';
export { writeBuildRecord } from './registry/build-records.ts';
export { readPackage } from './registry/lists.ts';
export { type Parent, parseParent, requireTag } from './registry/pointers.ts';
export { type PushResult, pushPackage } from './registry/push.ts';
export { applyRegistryWorkflow } from './registry/push-workflow.ts';
export { writeReceipt } from './registry/receipts.ts';
export { parseReference } from './registry/reference.ts';
export {
  listPackages,
  readHistory,
  resolveReference,
} from './registry/revisions.ts';
export { proveFile, writeSignature } from './registry/signed-revisions.ts';
export { repairRegistry } from './repair/repair.ts';
export { reproducePackage } from './reproduction/reproduce.ts';
export type { Reproduction, SpotCheck } from './reproduction/reproduction.ts';
export { spotCheck } from './reproduction/spot-check.ts';
export { messageOf, PkgError } from './runtime/errors.ts';
export {
  createRuntime,
  type ProgressEvent,
  type Reporter,
  type Runtime,
  type TrainingFigures,
} from './runtime/runtime.ts';
export {
  findSigningKey,
  generateKey,
  type KeyFiles,
  listKeys,
  readPublicKey,
} from './signatures/keys.ts';
export { checkProvenFile, formatProvenFile, parseProvenFile } from './signatures/proven-file.ts';
export {
  addTrust,
  keysFor,
  parseTrustScope,
  removeTrust,
} from './signatures/trust.ts';
export { readTrust, writeTrust } from './signatures/trust-file.ts';
export { openStorage, type Purpose, type S3Access } from './storage/open.ts';
export type { Storage } from './storage/storage.ts';
export { fileBytes } from './store/digest.ts';
export { openStore, type Store } from './store/store.ts';
export {
  type RemovalResult,
  removeName,
  removeRevision,
  tagRevision,
  untag,
} from './sweep/removal.ts';
export type { Retention } from './sweep/retention.ts';
export { DEFAULT_GRACE_MS, type SweepResult, sweepRegistry } from './sweep/sweep.ts';
