//! The ports in one place.

use std::rc::Rc;

use aws_config::SdkConfig;
use stopgap_core::inventory::Location;
use stopgap_core::ports::{
    Absent, Alarms, AutoScaling, Callbacks, Ec2, Executions, Keys, LoadBalancers, Objects, Ports, Table,
    Topic,
};

use crate::table::DynamoTable;

/// All ports, those that were not asked for being [`Absent`].
///
/// Each is added by a method of its own, so that a binary that never calls `ec2` has no EC2 in it, whatever features
/// other members of the workspace turn on.
pub struct Aws {
    sdk: SdkConfig,
    home: Location,
    table: Rc<dyn Table>,
    ec2: Rc<dyn Ec2>,
    auto_scaling: Rc<dyn AutoScaling>,
    alarms: Rc<dyn Alarms>,
    load_balancers: Rc<dyn LoadBalancers>,
    keys: Rc<dyn Keys>,
    objects: Rc<dyn Objects>,
    topic: Rc<dyn Topic>,
    callbacks: Rc<dyn Callbacks>,
    executions: Rc<dyn Executions>,
}

impl Aws {
    /// The table alone. `home` is the account and Region whose credentials `sdk` has.
    pub fn new(sdk: SdkConfig, home: Location, table: &str) -> Self {
        let absent = Rc::new(Absent);
        Self {
            table: Rc::new(DynamoTable::new(&sdk, table)),
            sdk,
            home,
            ec2: absent.clone(),
            auto_scaling: absent.clone(),
            alarms: absent.clone(),
            load_balancers: absent.clone(),
            keys: absent.clone(),
            objects: absent.clone(),
            topic: absent.clone(),
            callbacks: absent.clone(),
            executions: absent,
        }
    }

    /// With EC2, at home and in every account whose role can be assumed.
    #[cfg(feature = "ec2")]
    #[must_use]
    pub fn ec2(mut self, external_id: Option<&str>) -> Self {
        let places = crate::places::Places::new(&self.sdk, &self.home, external_id);
        self.ec2 = Rc::new(crate::ec2::SdkEc2::new(places));
        self
    }

    /// With Auto Scaling, as above.
    #[cfg(feature = "autoscaling")]
    #[must_use]
    pub fn auto_scaling(mut self, external_id: Option<&str>) -> Self {
        let places = crate::places::Places::new(&self.sdk, &self.home, external_id);
        self.auto_scaling = Rc::new(crate::auto_scaling::SdkAutoScaling::new(places));
        self
    }

    /// With KMS, as above.
    #[cfg(feature = "kms")]
    #[must_use]
    pub fn keys(mut self, external_id: Option<&str>) -> Self {
        let places = crate::places::Places::new(&self.sdk, &self.home, external_id);
        self.keys = Rc::new(crate::keys::SdkKeys::new(places));
        self
    }

    /// With Elastic Load Balancing, as above.
    #[cfg(feature = "elasticloadbalancingv2")]
    #[must_use]
    pub fn load_balancers(mut self, external_id: Option<&str>) -> Self {
        let places = crate::places::Places::new(&self.sdk, &self.home, external_id);
        self.load_balancers = Rc::new(crate::load_balancers::SdkLoadBalancers::new(places));
        self
    }

    /// With CloudWatch alarms, as above.
    #[cfg(feature = "cloudwatch")]
    #[must_use]
    pub fn alarms(mut self, external_id: Option<&str>) -> Self {
        let places = crate::places::Places::new(&self.sdk, &self.home, external_id);
        self.alarms = Rc::new(crate::alarms::SdkAlarms::new(places));
        self
    }

    /// With the planning bucket.
    #[cfg(feature = "s3")]
    #[must_use]
    pub fn objects(mut self, bucket: &str) -> Self {
        self.objects = Rc::new(crate::objects::Bucket::new(&self.sdk, bucket));
        self
    }

    /// With the ticket topic, and the one for chat applications where there is one.
    #[cfg(feature = "sns")]
    #[must_use]
    pub fn topic(mut self, arn: &str, chat_arn: Option<&str>) -> Self {
        self.topic = Rc::new(crate::topic::SnsTopic::new(&self.sdk, arn, chat_arn));
        self
    }

    /// With answers to waiting tasks.
    #[cfg(feature = "sfn")]
    #[must_use]
    pub fn callbacks(mut self) -> Self {
        self.callbacks = Rc::new(crate::step_functions::StepFunctions::new(&self.sdk));
        self
    }

    /// With the executions of the instance machine.
    #[cfg(feature = "sfn")]
    #[must_use]
    pub fn executions(mut self) -> Self {
        self.executions = Rc::new(crate::step_functions::StepFunctions::new(&self.sdk));
        self
    }

    /// The SDK's configuration at home.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The account and Region at home.
    pub fn home(&self) -> &Location {
        &self.home
    }

    /// The ports.
    pub fn ports(&self) -> Ports<'_> {
        Ports {
            ec2: &*self.ec2,
            auto_scaling: &*self.auto_scaling,
            alarms: &*self.alarms,
            load_balancers: &*self.load_balancers,
            keys: &*self.keys,
            table: &*self.table,
            objects: &*self.objects,
            topic: &*self.topic,
            callbacks: &*self.callbacks,
            executions: &*self.executions,
        }
    }
}
