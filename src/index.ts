/** The library's face: everything the command line uses, and nothing else. */

export {
  entriesBelow,
  type InstallResult,
  installPackage,
  selectEntries,
} from './installation/install.ts';
export { readInstallation } from './installation/installation.ts';
export { openInstalled, openRevision } from './installation/opened-package.ts';
export { readFolder } from './package/folder.ts';
export { packageSizeBytes } from './package/package.ts';
export { type Finding, verifyFiles } from './package/verify.ts';
export { findBuilt } from './pipeline/built.ts';
export { type InitResult, initManifest } from './pipeline/init.ts';
export { lockManifest } from './pipeline/lock.ts';
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
export { objectSource } from './registry/objects.ts';
export { openRegistry, type Purpose, type S3Access } from './registry/open.ts';
export { type PushResult, pushPackage } from './registry/push.ts';
export { parseReference } from './registry/reference.ts';
export type { Registry } from './registry/registry.ts';
export {
  listPackages,
  readHistory,
  readPackage,
  resolveReference,
} from './registry/revisions.ts';
export { verifyObjects } from './registry/verify-registry.ts';
export type { SpotCheck } from './reproduction/reproduction.ts';
export { spotCheck } from './reproduction/spot-check.ts';
export { messageOf, PkgError } from './runtime/errors.ts';
export {
  createRuntime,
  type ProgressEvent,
  type Reporter,
  type Runtime,
  type TrainingFigures,
} from './runtime/runtime.ts';
export { fileBytes } from './store/digest.ts';
export { openStore, type Store } from './store/store.ts';
