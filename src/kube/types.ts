/**
 * Kubernetes' own object types, as the wire has them (times are strings, quantities strings or numbers).
 * Types only: nothing of the package is there at run time.
 */

export type { ILabelSelector as LabelSelector } from "@kubernetes-models/apimachinery/apis/meta/v1/LabelSelector";
export type { IObjectMeta as ObjectMeta } from "@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta";
export type { IOwnerReference as OwnerReference } from "@kubernetes-models/apimachinery/apis/meta/v1/OwnerReference";
export type { IEndpointSlice as EndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
export type { IConfigMap as ConfigMap } from "kubernetes-models/v1/ConfigMap";
export type { IContainer as Container } from "kubernetes-models/v1/Container";
export type { IContainerPort as ContainerPort } from "kubernetes-models/v1/ContainerPort";
export type { IContainerState as ContainerState } from "kubernetes-models/v1/ContainerState";
export type { IContainerStatus as ContainerStatus } from "kubernetes-models/v1/ContainerStatus";
export type { IEndpoints as Endpoints } from "kubernetes-models/v1/Endpoints";
export type { IEnvVar as EnvVar } from "kubernetes-models/v1/EnvVar";
export type { IEvent as Event } from "kubernetes-models/v1/Event";
export type { INamespace as Namespace } from "kubernetes-models/v1/Namespace";
export type { INode as KubernetesNode } from "kubernetes-models/v1/Node";
export type { IPersistentVolume as PersistentVolume } from "kubernetes-models/v1/PersistentVolume";
export type { IPersistentVolumeClaim as PersistentVolumeClaim } from "kubernetes-models/v1/PersistentVolumeClaim";
export type { IPod as Pod } from "kubernetes-models/v1/Pod";
export type { IPodCondition as PodCondition } from "kubernetes-models/v1/PodCondition";
export type { IPodSpec as PodSpec } from "kubernetes-models/v1/PodSpec";
export type { IPodStatus as PodStatus } from "kubernetes-models/v1/PodStatus";
export type { IPodTemplateSpec as PodTemplateSpec } from "kubernetes-models/v1/PodTemplateSpec";
export type { IProbe as Probe } from "kubernetes-models/v1/Probe";
export type { ISecret as Secret } from "kubernetes-models/v1/Secret";
export type { ISecurityContext as SecurityContext } from "kubernetes-models/v1/SecurityContext";
export type { IService as Service } from "kubernetes-models/v1/Service";
export type { IVolume as Volume } from "kubernetes-models/v1/Volume";

import type { IObjectMeta } from "@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta";
import type { IPod } from "kubernetes-models/v1/Pod";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";

/** Any API object: what the store keeps and the server sends. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMetadata;
  [field: string]: unknown;
}

/** ObjectMeta of an object that the API has accepted: the fields that are then always there. */
export type ObjectMetadata = IObjectMeta & {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
};

/** A pod that the API has accepted: decoded strictly, defaulted, validated and stored. */
export type StoredPod = IPod & {
  metadata: ObjectMetadata & { namespace: string };
  spec: IPodSpec;
};
