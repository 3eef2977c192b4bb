"""What of the requests for model packages is emulated."""

from __future__ import annotations

from collections.abc import Mapping

from local_sagemaker.api.emulated import ANY, Emulated

_CONTAINER: Emulated = {
    "ContainerHostname": ANY,
    "Image": ANY,
    "ImageDigest": ANY,
    "ModelDataUrl": ANY,
    "Environment": ANY,
    "ModelInput": ANY,
    "Framework": ANY,
    "FrameworkVersion": ANY,
    "NearestModelName": ANY,
    "ModelDataETag": ANY,
}
_INFERENCE: Emulated = {
    "Containers": _CONTAINER,
    "SupportedTransformInstanceTypes": ANY,
    "SupportedRealtimeInferenceInstanceTypes": ANY,
    "SupportedContentTypes": ANY,
    "SupportedResponseMIMETypes": ANY,
}
_ADDITIONAL: Emulated = {"Name": ANY, "Description": ANY, **_INFERENCE}
_GROUP = {"ModelPackageGroupName": ANY, "ModelPackageGroupDescription": ANY}
EMULATED: Mapping[str, Emulated] = {
    "CreateModelPackageGroup": {**_GROUP, "Tags": ANY},
    "ListModelPackageGroups": {
        "CreationTimeAfter": ANY, "CreationTimeBefore": ANY, "MaxResults": ANY, "NameContains": ANY,
        "NextToken": ANY, "SortBy": ANY, "SortOrder": ANY, "CrossAccountFilterOption": {"SameAccount"},
    },
    "CreateModelPackage": {
        "ModelPackageName": ANY, "ModelPackageGroupName": ANY, "ModelPackageDescription": ANY,
        "ModelPackageRegistrationType": ANY, "InferenceSpecification": _INFERENCE, "Tags": ANY,
        "ModelApprovalStatus": ANY, "MetadataProperties": ANY, "ModelMetrics": ANY, "ClientToken": ANY,
        "Domain": ANY, "Task": ANY, "SamplePayloadUrl": ANY, "CustomerMetadataProperties": ANY,
        "DriftCheckBaselines": ANY, "AdditionalInferenceSpecifications": _ADDITIONAL, "SkipModelValidation": ANY,
        "SourceUri": ANY, "ModelCard": ANY, "ModelLifeCycle": ANY,
    },
    "UpdateModelPackage": {
        "ModelPackageArn": ANY, "ModelApprovalStatus": ANY, "ApprovalDescription": ANY,
        "CustomerMetadataProperties": ANY, "CustomerMetadataPropertiesToRemove": ANY,
        "AdditionalInferenceSpecificationsToAdd": _ADDITIONAL, "InferenceSpecification": _INFERENCE,
        "SourceUri": ANY, "ModelCard": ANY, "ModelLifeCycle": ANY, "ModelPackageRegistrationType": ANY,
        "ClientToken": ANY,
    },
}  # fmt: skip
